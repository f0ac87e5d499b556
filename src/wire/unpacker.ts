import { MsgpackReader } from './msgpack-reader'
import { MAX_DEPTH } from './packed-value'

/** Undefined while it is used: a setter that a program has added to `Object.prototype` may send something. */
let spare: MsgpackReader | undefined = new MsgpackReader()

/**
 * Unpacks the one value in a range of a buffer, which must not change until `forgetChunk`.
 *
 * @param levels of nested arrays and maps that it may have. Default as many as a payload
 * @param isOwn whether the buffer won't be overwritten: then bytes that are most of it aren't copied
 * @throws ProtocolViolation
 */
export function unpack(bytes: Buffer, start: number, end: number, levels = MAX_DEPTH, isOwn = false): unknown {
  const reader = spare ?? new MsgpackReader()
  spare = undefined
  try {
    return reader.read(bytes, start, end, levels, isOwn)
  } finally {
    spare = reader
  }
}

/** Forgets the buffer that was read last, which may be overwritten now. */
export function forgetChunk(): void {
  spare?.forget()
}
