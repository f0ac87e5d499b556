import { join } from 'node:path'
import { Child } from '../workers/child'
import { now } from '../workers/clock'
import { inScratchDirectory } from '../workers/scratch-directory'

/** The task of each process: load this package, form a full mesh with it, or form one of plain sockets. */
type Start = 'load' | 'lahja' | 'sockets'

/** Without extra certificates, which Node.js would read first. */
const ENVIRONMENT = { ...process.env, NODE_EXTRA_CA_CERTS: undefined }

/**
 * Starts processes at the same time.
 *
 * @returns milliseconds until all are ready
 */
export async function startUp(processes: number, start: Start): Promise<number> {
  return inScratchDirectory(async (directory) => {
    const names = Array.from({ length: processes }, (_, index) => `member-${index + 1}`)
    const script = join(__dirname, start === 'sockets' ? 'socket-mesh-member.js' : 'mesh-member.js')
    const startedAt = now()
    const children = names.map((name) => {
      const args = start === 'load' ? [] : [directory, name, ...names.filter((other) => other !== name)]
      return new Child('a process that was started', script, args, { env: ENVIRONMENT })
    })
    try {
      await Promise.all(children.map((child) => child.message()))
      return (now() - startedAt) / 1000
    } finally {
      await Promise.all(children.map((child) => child.kill()))
    }
  })
}
