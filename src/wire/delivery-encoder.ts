import { type Frame, PREFIX_BYTES } from './frame'
import { KIND_CODES } from './message'
import { FALSE, FIXARRAY, FIXEXT_1, FIXSTR, STR_8, TRUE, UINT_16, UINT_32, UINT_64, UNDEFINED } from './msgpack-format'

/** `undefined` where more follows. */
const UNDEFINED_BYTES = (FIXEXT_1 << 16) | (UNDEFINED << 8)

/** The longest head: the array and its kind, two numbers, a type of two bytes of length, and a flag. */
const MAX_HEAD_BYTES = 2 + 9 + 9 + 2 + 1

/** An undefined payload and a number after it. */
const MAX_TAIL_BYTES = 3 + 9

/**
 * Encodes a delivery whose payload is packed already.
 *
 * @param payload its msgpack; empty for `undefined`
 * @param redelivered how often it has been given before
 * @param headers their msgpack, if there are any
 */
export function encodeDelivery(
  member: number,
  number: number,
  type: string,
  isFixed: boolean,
  payload: Uint8Array,
  redelivered = 0,
  headers?: Uint8Array,
): Frame {
  const typeBytes = Buffer.byteLength(type)
  const bytes = Buffer.allocUnsafe(PREFIX_BYTES + maxDeliveryBytes(type, payload.length + (headers?.length ?? 0)))
  let at = PREFIX_BYTES
  bytes[at++] = FIXARRAY | (headers ? 8 : redelivered > 0 ? 7 : payload.length === 0 ? 5 : 6)
  bytes[at++] = KIND_CODES.give
  at = writeCount(bytes, at, member)
  at = writeCount(bytes, at, number)
  if (typeBytes < 0x20) bytes[at++] = FIXSTR | typeBytes
  else {
    bytes[at++] = STR_8
    bytes[at++] = typeBytes
  }
  at += bytes.write(type, at)
  bytes[at++] = isFixed ? TRUE : FALSE
  bytes.set(payload, at)
  let end = at + payload.length
  if (redelivered > 0 || headers) {
    if (payload.length === 0) end = bytes.writeUIntBE(UNDEFINED_BYTES, end, 3)
    end = writeCount(bytes, end, redelivered)
  }
  if (headers) {
    bytes.set(headers, end)
    end += headers.length
  }
  bytes.writeUInt32BE(end - PREFIX_BYTES, 0)
  return { bytes, start: 0, end }
}

/** Bytes of the body of a delivery, at most. */
export function maxDeliveryBytes(type: string, payloadBytes: number): number {
  return MAX_HEAD_BYTES + Buffer.byteLength(type) + payloadBytes + MAX_TAIL_BYTES
}

/** Writes a whole number. Returns where it ends. */
function writeCount(bytes: Buffer, at: number, value: number): number {
  if (value < 0x80) {
    bytes[at] = value
    return at + 1
  }
  if (value < 0x10000) {
    bytes[at] = UINT_16
    return bytes.writeUInt16BE(value, at + 1)
  }
  if (value < 0x1_0000_0000) {
    bytes[at] = UINT_32
    return bytes.writeUInt32BE(value, at + 1)
  }
  bytes[at] = UINT_64
  return bytes.writeBigUInt64BE(BigInt(value), at + 1)
}
