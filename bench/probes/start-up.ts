import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { now } from '../workers/clock'

/** What processes do when they start: load this package, form a full mesh by it, or form one by plain sockets. */
type Beginning = 'load' | 'lahja' | 'sockets'

/** Node would read certificates first, whatever it starts: that is nothing to be divided by. */
const ENVIRONMENT = { ...process.env, NODE_EXTRA_CA_CERTS: undefined }

/**
 * Starts so many processes at once.
 *
 * @returns milliseconds until all are there
 */
export async function startUp(processes: number, beginning: Beginning): Promise<number> {
  const directory = await mkdtemp(join(tmpdir(), 'lahja-'))
  const names = Array.from({ length: processes }, (_, index) => `newcomer-${index + 1}`)
  const startedAt = now()
  const children = names.map((name) => {
    const others = names.filter((other) => other !== name)
    const script = join(__dirname, beginning === 'sockets' ? 'socket-mesh-member.js' : 'mesh-member.js')
    return fork(script, beginning === 'load' ? [] : [directory, name, ...others], { env: ENVIRONMENT })
  })
  try {
    await Promise.all(children.map((child) => Promise.race([once(child, 'message'), failure(once(child, 'exit'))])))
    return (now() - startedAt) / 1000
  } finally {
    const running = children.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null)
    const exits = running.map((child) => once(child, 'exit'))
    for (const child of running) child.kill('SIGKILL')
    await Promise.all(exits)
    await rm(directory, { recursive: true, force: true })
  }
}

async function failure(exit: Promise<unknown[]>): Promise<never> {
  const [code, signal] = await exit
  throw new Error(`a process that was started has ended with ${signal ?? `code ${code}`}`)
}
