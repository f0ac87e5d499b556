import { types } from 'node:util'

/** Of all typed arrays. A program can give its own another `length`, or a subclass. */
const lengthOf = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), 'length')?.get

/** How many bytes are there, whatever its property `length` says. */
export function countBytes(bytes: Uint8Array): number {
  const length: unknown = lengthOf?.call(bytes)
  return typeof length === 'number' ? length : 0
}

/** Is it a `Uint8Array` or a `Buffer`, of any realm? */
export function isBytes(value: unknown): value is Uint8Array {
  // The last look is the slowest. The first one is safe for proxies.
  return ArrayBuffer.isView(value) && (value instanceof Uint8Array || types.isUint8Array(value))
}
