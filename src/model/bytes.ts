import { types } from 'node:util'

/** Is it a `Uint8Array` or a `Buffer`, of any realm? */
export function isBytes(value: unknown): value is Uint8Array {
  // The last look is the slowest. The first one is safe for proxies.
  return ArrayBuffer.isView(value) && (value instanceof Uint8Array || types.isUint8Array(value))
}
