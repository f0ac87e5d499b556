import { MsgpackReader } from './msgpack-reader'
import { MAX_DEPTH } from './packed-value'
import { NO_SHAPES } from './told-shapes'

/** Undefined while it is used: a setter that a program has added to `Object.prototype` may send something. */
let spare: MsgpackReader | undefined = new MsgpackReader()

/**
 * Unpacks the one value in a range of a buffer.
 *
 * @param levels of nested arrays and maps that it may have. Default as many as a payload
 * @throws ProtocolViolation
 */
export function unpack(bytes: Buffer, start: number, end: number, levels = MAX_DEPTH): unknown {
  try {
    return unpackNext(bytes, start, end, levels)
  } finally {
    forgetChunk()
  }
}

/**
 * The same for one of several in a chunk, which must not change until `forgetChunk`.
 *
 * @param isOwn whether the chunk won't be overwritten: then bytes that are most of it aren't copied
 * @param shapes those that records may have. Default none
 * @throws ProtocolViolation
 */
export function unpackNext(
  chunk: Buffer,
  start: number,
  end: number,
  levels = MAX_DEPTH,
  isOwn = false,
  shapes = NO_SHAPES,
): unknown {
  const reader = spare ?? new MsgpackReader()
  spare = undefined
  try {
    return reader.read(chunk, start, end, levels, isOwn, shapes)
  } finally {
    spare = reader
  }
}

/** Forgets the chunk that was read last, which may be overwritten now. */
export function forgetChunk(): void {
  spare?.forget()
}
