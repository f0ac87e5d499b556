import { endProgress } from '../report/progress-line'

/** Arguments that cannot be used. */
export class UsageError extends Error {}

/**
 * Runs a program. Its exit code is the result of `main`, 2 for wrong arguments, or 1 for any other error.
 *
 * @param parse throws for unknown options
 * @param main gets a signal that is aborted when the program is interrupted
 */
export function runProgram<Values extends { readonly help: boolean }>(
  usage: string,
  parse: (args: string[]) => Values,
  main: (values: Values, signal: AbortSignal) => Promise<number>,
): void {
  const interruption = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => interruption.abort(new Error(`interrupted by ${signal}`)))
  }
  const run = async () => {
    const values = usable(() => parse(process.argv.slice(2)))
    if (!values.help) return main(values, interruption.signal)
    console.log(usage)
    return 0
  }
  // Also for a program that ends because nothing is left to wait for.
  process.exitCode = 1
  run().then(
    (code) => {
      process.exitCode = code
    },
    (error: unknown) => {
      endProgress()
      const isUsage = error instanceof UsageError
      console.error(`bench: ${messageOf(error)}${isUsage ? `\n\n${usage}` : ''}`)
      process.exitCode = isUsage ? 2 : 1
    },
  )
}

/** Turns an error into a usage error, with a prefix. */
export function usable<Value>(parse: () => Value, prefix = ''): Value {
  try {
    return parse()
  } catch (error) {
    throw new UsageError(`${prefix}${messageOf(error)}`)
  }
}

/** @throws UsageError */
export function oneOf<Value extends string>(name: string, text: string, values: readonly Value[]): Value {
  const found = values.find((value) => value === text)
  if (found !== undefined) return found
  throw new UsageError(`--${name}: expected one of ${values.join(', ')}, got '${text}'`)
}

/** @throws UsageError */
export function wholeNumber(name: string, text: string, least: number, most: number): number {
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= least && value <= most) return value
  throw new UsageError(`--${name}: expected a whole number from ${least} to ${most}, got '${text}'`)
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
