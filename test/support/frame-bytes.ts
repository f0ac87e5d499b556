import { encodeMessage } from '../../src/wire/codec'
import type { Frame } from '../../src/wire/frame'
import type { Message } from '../../src/wire/message'

/** A frame with this body. */
export function frameAround(body: Uint8Array): Buffer {
  const bytes = Buffer.alloc(4 + body.length)
  bytes.writeUInt32BE(body.length, 0)
  bytes.set(body, 4)
  return bytes
}

/** A frame whose body is given in hexadecimal digits; spaces are ignored. */
export function hexFrame(digits: string): Buffer {
  return frameAround(Buffer.from(digits.replaceAll(' ', ''), 'hex'))
}

/** A copy of the bytes of a frame, prefix included. */
export function bytesOf({ bytes, start, end }: Frame): Buffer {
  return Buffer.from(bytes.subarray(start, end))
}

/** A copy of the bytes of a frame's body. */
export function bodyOf({ bytes, start, end }: Frame): Buffer {
  return Buffer.from(bytes.subarray(start + 4, end))
}

/** The bytes of the frame of a message. */
export function encoded(message: Message): Buffer {
  return bytesOf(encodeMessage(message))
}
