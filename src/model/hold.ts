import { invalid } from './errors'

const LONGEST = 2 ** 31 - 1

/** The milliseconds for which an event waits for a queue with a member that may have it. @throws InvalidArgument */
export function checkHold(option: string, value: unknown): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= LONGEST) return value
  throw invalid(option, `a whole number from 1 to ${LONGEST}`, value)
}
