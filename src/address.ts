import { describe, InvalidArgument } from './errors'

/** The address of one incarnation: one life of an endpoint. No other endpoint ever has it again. */
export interface Address {
  readonly name: string
  readonly id: string
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/
const ID = /^[0-9a-z]{13}$/
const FILE = /^(.+)~([^~]+)\.sock$/

export function isName(name: string): boolean {
  return NAME.test(name)
}

export function isId(id: string): boolean {
  return ID.test(id)
}

/** @throws InvalidArgument if the value can't name an endpoint or a group */
export function checkName(what: string, value: unknown): string {
  if (typeof value === 'string' && isName(value)) return value
  const rule = '1 to 64 of A-Z a-z 0-9 . _ -, the first a letter or a digit'
  throw new InvalidArgument(`${what}: expected ${rule}, got ${describe(value)}`)
}

/** The file name under which an address is published. */
export function fileNameOf({ name, id }: Address): string {
  return `${name}~${id}.sock`
}

/** The address that a file name publishes, if it is one. */
export function parseFileName(fileName: string): Address | undefined {
  const [, name = '', id = ''] = FILE.exec(fileName) ?? []
  return isName(name) && isId(id) ? { name, id } : undefined
}
