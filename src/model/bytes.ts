import { types } from 'node:util'

/** Is it a `Uint8Array` or a `Buffer`, of any realm? */
export function isBytes(value: unknown): value is Uint8Array {
  // The first look is faster, and enough for most values.
  return ArrayBuffer.isView(value) && types.isUint8Array(value)
}
