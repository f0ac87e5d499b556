/** What an event carries: who has sent it and which of the sender's it is, with something that takes room. */
export interface Parcel {
  readonly sender: string
  readonly event: number
  readonly filler: Uint8Array
}

/** The forms in which it travels: inside an object, or as plain bytes, which the codec treats apart. */
export type Wrapping = 'object' | 'bytes'

export function wrap({ sender, event, filler }: Parcel, wrapping: Wrapping): unknown {
  if (wrapping === 'object') return { sender, event, filler }
  return Buffer.concat([Buffer.from(`${sender} ${event} `), filler])
}

/** Nothing, where it is no parcel. */
export function unwrap(payload: unknown): Parcel | undefined {
  if (payload instanceof Uint8Array) return unwrapBytes(Buffer.from(payload))
  if (typeof payload !== 'object' || payload === null) return undefined
  if (!('sender' in payload) || !('event' in payload) || !('filler' in payload)) return undefined
  const { sender, event, filler } = payload
  if (typeof sender !== 'string' || typeof event !== 'number' || !(filler instanceof Uint8Array)) return undefined
  return { sender, event, filler }
}

function unwrapBytes(bytes: Buffer): Parcel | undefined {
  const first = bytes.indexOf(' ')
  const second = bytes.indexOf(' ', first + 1)
  if (first < 0 || second < 0) return undefined
  const sender = bytes.toString('utf8', 0, first)
  const event = Number(bytes.toString('utf8', first + 1, second))
  return { sender, event, filler: bytes.subarray(second + 1) }
}

/** A number that changes with every bit of a parcel (FNV-1a, 32 bits). */
export function digestOf({ sender, event, filler }: Parcel): number {
  let hash = 0x811c9dc5
  for (const bytes of [Buffer.from(`${sender} ${event} `), filler]) {
    for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193)
  }
  return hash >>> 0
}
