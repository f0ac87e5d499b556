import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { show } from './display'
import { argumentsOf, InputError, textOf, USAGE } from './input'
import { findingsOf, isAsExpected, tableOf } from './report'
import { ParticipantFailed, Stage } from './stage'
import { counted, totalOf } from './tally'

/** Has a text read to three processes, and compares their counts with the text itself. */
async function main(): Promise<number> {
  const args = argumentsOf(process.argv.slice(2))
  if (!args) {
    console.log(USAGE)
    return 0
  }
  const directory = await mkdtemp(join(tmpdir(), 'lahja-'))
  const bus = join(directory, 'bus')
  const stage = new Stage(bus, show)
  try {
    const interrupted = interruption()
    const text = await Promise.race([interrupted, textOf(args.source, directory)])
    const { lines, words } = totalOf(text.lines)
    show('census', `${text.title} has ${counted(lines, 'line')}, ${counted(words, 'word')}`)
    show('census', `the bus is the directory ${bus}`)
    const findings = findingsOf(text.lines, await Promise.race([interrupted, stage.perform(text, args.seconds)]))
    const isRight = findings.every(isAsExpected)
    console.log(`\n${tableOf(findings)}`)
    console.log(
      isRight ? 'Everyone got what they had to get, in order.' : 'WRONG: not everyone got what they had to get.',
    )
    return isRight ? 0 : 1
  } finally {
    if (args.source === '-') process.stdin.destroy()
    await stage.clear()
    await rm(directory, { recursive: true, force: true })
  }
}

/** Rejects on Ctrl-C, or when standard output is closed. */
function interruption(): Promise<never> {
  return new Promise((_, reject) => {
    process.stdout.on('error', reject)
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.on(signal, () => reject(new Error(`interrupted by ${signal}`)))
    }
  })
}

main().then(
  (code) => {
    process.exitCode = code
  },
  (error: unknown) => {
    console.error(`census: ${error instanceof Error ? error.message : String(error)}`)
    const isInput = error instanceof InputError || (error instanceof ParticipantFailed && error.code === 2)
    process.exitCode = isInput ? 2 : 1
  },
)
