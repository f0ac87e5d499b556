import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * Measures what an idle link takes of a process that has very many of them, so that all else counts for little.
 *
 * @returns bytes of resident memory for each end of a link, what endpoints themselves take included
 */
export async function idleLinkBytes(few: number, many: number): Promise<number> {
  const directory = await mkdtemp(join(tmpdir(), 'lahja-'))
  const child = fork(join(__dirname, 'full-mesh.js'), [directory, String(few), String(many)], {
    execArgv: ['--expose-gc'],
  })
  const exit = once(child, 'exit')
  try {
    const ended = exit.then(([code, signal]) => [new Error(`the crowd has ended with ${signal ?? `code ${code}`}`)])
    const [answer]: unknown[] = await Promise.race([once(child, 'message'), ended])
    if (typeof answer === 'number') return answer
    throw answer instanceof Error ? answer : new TypeError(`expected a number of bytes, got ${String(answer)}`)
  } finally {
    child.kill('SIGKILL')
    await exit
    await rm(directory, { recursive: true, force: true })
  }
}
