/** Arguments that cannot be used; the message says which and why. */
export class UsageError extends Error {}

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

/** What parse makes of the arguments. @throws UsageError instead of what it throws */
export function parsed<Values>(parse: () => Values): Values {
  try {
    return parse()
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}
