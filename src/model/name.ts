import { invalid } from './errors'

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/

/** Is it a valid name of an endpoint, a group or a queue? */
export function isName(name: string): boolean {
  return NAME.test(name)
}

/** @throws InvalidArgument unless the value is a valid name of an endpoint, a group or a queue */
export function checkName(option: string, value: unknown): string {
  if (typeof value === 'string' && isName(value)) return value
  throw invalid(option, '1 to 64 of A-Z a-z 0-9 . _ -, the first a letter or a digit', value)
}
