import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { now } from '../clock'

/**
 * Starts so many processes at once.
 *
 * @param meets do they form a full mesh, or only load what they would need for it?
 * @returns milliseconds until all are there
 */
export async function startUp(processes: number, meets: boolean): Promise<number> {
  const directory = await mkdtemp(join(tmpdir(), 'lahja-'))
  const names = Array.from({ length: processes }, (_, index) => `newcomer-${index + 1}`)
  const startedAt = now()
  const children = names.map((name) => {
    const others = names.filter((other) => other !== name)
    return fork(join(__dirname, 'newcomer.js'), meets ? [directory, name, ...others] : [])
  })
  try {
    await Promise.all(children.map((child) => Promise.race([once(child, 'message'), failure(once(child, 'exit'))])))
    return (now() - startedAt) / 1000
  } finally {
    const exits = children.map((child) => child.exitCode === null && once(child, 'exit'))
    for (const child of children) child.kill('SIGKILL')
    await Promise.all(exits)
    await rm(directory, { recursive: true, force: true })
  }
}

async function failure(exit: Promise<unknown[]>): Promise<never> {
  const [code, signal] = await exit
  throw new Error(`a process that was started has ended with ${signal ?? `code ${code}`}`)
}
