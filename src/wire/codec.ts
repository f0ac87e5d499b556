import { PayloadTooLarge } from '../model/errors'
import { type Frame, PREFIX_BYTES } from './frame'
import { type Assignment, fromElements, KIND_CODES, type Message, toElements } from './message'
import { FIXARRAY_4, FIXARRAY_5 } from './msgpack-format'
import { packMessage } from './packer'
import { unpack } from './unpacker'

/**
 * A frame for a message other than an event.
 *
 * @param limit bytes its body may have
 * @throws UnserializablePayload, PayloadTooLarge
 */
export function encodeMessage(message: Message, limit = Number.POSITIVE_INFINITY): Frame {
  const packed = packMessage(toElements(message), 'payload' in message ? message.payload : undefined)
  const length = packed.end - packed.start
  if (length > limit) {
    throw new PayloadTooLarge(`${message.kind}: expected a frame of at most ${limit} bytes, got ${length}`)
  }
  const bytes = Buffer.allocUnsafe(PREFIX_BYTES + length)
  bytes.writeUInt32BE(length, 0)
  bytes.set(packed.bytes.subarray(packed.start, packed.end), PREFIX_BYTES)
  return { bytes, start: 0, end: bytes.length }
}

/** Is the frame that begins there, of this endpoint's own making, an event for a member of a queue? */
export function isAssignment(bytes: Buffer, start: number): boolean {
  const elements = bytes[start + PREFIX_BYTES]
  return (elements === FIXARRAY_5 || elements === FIXARRAY_4) && bytes[start + PREFIX_BYTES + 1] === KIND_CODES.assign
}

/** What an assignment's frame says. */
export function assignmentOf({ bytes, start, end }: Frame): Assignment {
  const message = decodeMessage(bytes, start + PREFIX_BYTES, end)
  if (message.kind === 'assign') return message
  throw new TypeError(`expected an assignment's frame, got one of kind ${message.kind}`)
}

/** @throws ProtocolViolation for a body that is not msgpack, or no message */
export function decodeMessage(bytes: Buffer, start: number, end: number): Message {
  return fromElements(unpack(bytes, start, end))
}
