import { pack, unpack } from 'msgpackr'
import type { PayloadName } from './payload'

/** Payloads as bytes, for those who carry nothing else. */
export interface Body {
  readonly encode: (payload: unknown) => Buffer
  readonly decode: (bytes: Buffer) => unknown
}

/** @param keepsUpTo the carrier keeps bytes that are longer until it has sent them, so they have to be a copy */
export function bodyOf(payload: PayloadName, keepsUpTo: number): Body {
  if (payload !== 'binary') return { encode: pack, decode: unpack }
  return {
    encode(bytes) {
      if (!(bytes instanceof Buffer)) throw new TypeError(`expected a Buffer, got ${String(bytes)}`)
      return bytes.length > keepsUpTo ? Buffer.from(bytes) : bytes
    },
    decode: (bytes) => bytes,
  }
}
