import { endProgress } from '../report/progress-line'
import { UsageError } from './arguments'

/**
 * Runs a program of the bench: to its exit code, or to 2 with its usage for wrong arguments, or to 1 with what went
 * wrong. The signal is aborted when the program is interrupted.
 */
export function runProgram(usage: string, main: (args: string[], signal: AbortSignal) => Promise<number>): void {
  const interruption = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => interruption.abort(new Error(`interrupted by ${signal}`)))
  }
  // Until it is known better: a program that waits for what never comes ends too, when nothing else is left to do.
  process.exitCode = 1
  main(process.argv.slice(2), interruption.signal).then(
    (code) => {
      process.exitCode = code
    },
    (error: unknown) => {
      endProgress()
      const isUsage = error instanceof UsageError
      console.error(`bench: ${error instanceof Error ? error.message : String(error)}${isUsage ? `\n\n${usage}` : ''}`)
      process.exitCode = isUsage ? 2 : 1
    },
  )
}
