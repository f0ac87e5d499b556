import type { Frame } from '../../src/wire/frame'

/** A frame of its own around a body. */
export function frameAround(body: Uint8Array): Buffer {
  const bytes = Buffer.alloc(4 + body.length)
  bytes.writeUInt32BE(body.length, 0)
  bytes.set(body, 4)
  return bytes
}

/** The bytes of a frame, prefix included, apart from the buffer they lie in. */
export function bytesOf({ bytes, start, end }: Frame): Buffer {
  return Buffer.from(bytes.subarray(start, end))
}

/** The bytes of a frame's body, apart from the buffer they lie in. */
export function bodyOf({ bytes, start, end }: Frame): Buffer {
  return Buffer.from(bytes.subarray(start + 4, end))
}
