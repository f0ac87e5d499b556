import { InvalidArgument, invalid } from './errors'

/** The names of all options of a call. */
export type OptionNames<Options> = Readonly<Record<keyof Options, true>>

/** Edits that turn an unknown name into the one that was probably meant. */
const MAX_EDITS = 3

/**
 * Checks the options of a call: an object without unknown names, as a misspelt option must not be ignored, whose `signal`
 * is an `AbortSignal`.
 *
 * @param call its name, for the message
 * @throws InvalidArgument
 */
export function checkOptions<Options>(call: string, options: unknown, names: OptionNames<Options>): void {
  if (options === undefined) return
  if (typeof options !== 'object' || options === null) throw invalid(`options of ${call}`, 'an object', options)
  // Not with `Object.keys`: this is called for every broadcast with options, and allocates nothing.
  for (const name in options) {
    if (!Object.hasOwn(names, name) && Object.hasOwn(options, name)) throw unknownOption(call, name, names)
  }
  if ('signal' in options && options.signal !== undefined) checkSignal(options.signal)
}

/** @throws InvalidArgument */
export function checkBoolean(option: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'boolean') throw invalid(option, 'true or false', value)
}

function checkSignal(value: unknown): void {
  if (!isSignal(value)) throw invalid('signal', "an AbortSignal (an AbortController's `signal`)", value)
}

/** A signal of another realm or library counts, so its class doesn't matter. */
function isSignal(value: unknown): boolean {
  try {
    if (typeof value !== 'object' || value === null || !(Symbol.toStringTag in value)) return false
    if (!('aborted' in value && 'addEventListener' in value && 'removeEventListener' in value)) return false
    const { aborted, addEventListener, removeEventListener, [Symbol.toStringTag]: tag } = value
    if (typeof addEventListener !== 'function' || typeof removeEventListener !== 'function') return false
    return tag === 'AbortSignal' && typeof aborted === 'boolean'
  } catch {
    return false // An object that inherits from a signal, or a proxy.
  }
}

/** The error for a name that is no option, with the one that was probably meant. */
export function unknownOption(call: string, name: string, names: object): InvalidArgument {
  const known = Object.keys(names)
  const nearest = nearestOf(name, known)
  const advice = nearest === undefined ? `expected one of ${known.join(', ')}` : `did you mean '${nearest}'?`
  return new InvalidArgument(`${call} has no option '${name}': ${advice}`)
}

/** The known name that was probably meant: the only one that begins like it, or else the one with the fewest edits. */
export function nearestOf(name: string, known: readonly string[]): string | undefined {
  const [shortened, ...others] = known.filter((option) => option.startsWith(name))
  if (others.length === 0 && shortened !== undefined) return shortened
  const [nearest] = known
    .map((option) => ({ option, edits: editsBetween(name, option) }))
    .sort((one, other) => one.edits - other.edits)
  if (!nearest) return undefined
  return nearest.edits <= Math.min(MAX_EDITS, nearest.option.length / 2) ? nearest.option : undefined
}

/** The Levenshtein distance: insertions, deletions and replacements of one letter. */
function editsBetween(one: string, other: string): number {
  let above = Array.from({ length: other.length + 1 }, (_, index) => index)
  for (const [row, letter] of [...one].entries()) {
    const current = [row + 1]
    for (const [column, wanted] of [...other].entries()) {
      const replaced = (above[column] ?? 0) + (letter === wanted ? 0 : 1)
      current.push(Math.min(replaced, (above[column + 1] ?? 0) + 1, (current[column] ?? 0) + 1))
    }
    above = current
  }
  return above.at(-1) ?? 0
}
