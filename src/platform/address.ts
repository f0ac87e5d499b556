import { isName } from '../model/name'

/** The address of one incarnation of an endpoint, from its start to its end. It is never used again. */
export interface Address {
  readonly name: string
  readonly id: string
}

const ID = /^[0-9a-z]{13}$/
const FILE = /^(.+)~([^~]+)\.sock$/

export function isId(id: string): boolean {
  return ID.test(id)
}

/** The file name under which an address is published. */
export function fileNameOf({ name, id }: Address): string {
  return `${name}~${id}.sock`
}

/** The address in a file name; undefined if the file isn't a published socket. */
export function parseFileName(fileName: string): Address | undefined {
  const [, name = '', id = ''] = FILE.exec(fileName) ?? []
  return isName(name) && isId(id) ? { name, id } : undefined
}

/** The order of endpoint ids that breaks ties: of two dials or two claims, the smaller id wins. */
export function precedes(id: string, other: string): boolean {
  return id < other
}
