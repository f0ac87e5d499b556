import { pack, unpack } from 'msgpackr'
import { bufferOf, type PayloadName } from './payload'

/** Payloads as frames of a byte stream. */
export interface StreamCodec {
  encode(payload: unknown): Buffer
  /** One for each stream. */
  decoder(): (bytes: Buffer, start: number, end: number) => unknown
}

/** Payloads as messages of bytes. */
export interface MessageCodec {
  readonly encode: (payload: unknown) => Buffer
  readonly decode: (bytes: Buffer) => unknown
}

/** @param copyAbove bytes; a longer payload is copied, as the carrier keeps a reference until it has sent it */
export function messageCodec(payload: PayloadName, copyAbove: number): MessageCodec {
  if (payload !== 'binary') return { encode: pack, decode: unpack }
  return {
    encode(value) {
      const bytes = bufferOf(value)
      return bytes.length > copyAbove ? Buffer.from(bytes) : bytes
    },
    decode: (bytes) => bytes,
  }
}
