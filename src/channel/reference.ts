import { boundaryOf } from '../model/boundary'
import { encodeMessage } from '../wire/codec'
import { type Frame, PREFIX_BYTES } from '../wire/frame'
import type { MessageOf } from '../wire/message'
import { BIN_16 } from '../wire/msgpack-format'

/**
 * Bytes that a message counts for whose payload travels by reference, as nobody knows what that holds. Longer than the
 * longest names of a type and a queue.
 */
const REFERENCE_BYTES = 512

/** A message whose payload can travel by reference. */
export type Referring = MessageOf<'event' | 'assign' | 'return' | 'give' | 'request' | 'response'>

/**
 * The message behind each frame, by the memory of the frame, which is its own. So the payload lives exactly as long as the
 * frame: until it is delivered, dropped, replaced or discarded. No queue on the way has to release it.
 */
const messages = new WeakMap<ArrayBufferLike, Referring>()

/** Whether payloads of this type never leave the endpoint, and so need no copy. */
export function travelsByReference(type: string): boolean {
  return boundaryOf(type) === 'internal'
}

/** A frame that stands for a message in this endpoint's own outbox, with bytes in place of the payload. */
export function referenceTo(message: Referring): Frame {
  // The bytes in place of the payload are the last.
  const encoded = encodeMessage({
    ...message,
    payload: null,
    ...('headers' in message && { headers: undefined }),
    ...(message.kind === 'give' && { redelivered: undefined }),
  })
  const head = encoded.bytes.subarray(encoded.start, encoded.end)
  const bytes = Buffer.from(new ArrayBuffer(REFERENCE_BYTES))
  bytes.set(head)
  bytes.writeUInt32BE(REFERENCE_BYTES - PREFIX_BYTES, 0)
  bytes[head.length - 1] = BIN_16
  bytes.writeUInt16BE(REFERENCE_BYTES - head.length - 2, head.length)
  messages.set(bytes.buffer, message)
  return { bytes, start: 0, end: REFERENCE_BYTES, isReference: true }
}

/** The message that these bytes stand for, if they are such a frame. */
export function referredBy({ buffer }: Uint8Array): Referring | undefined {
  return messages.get(buffer)
}
