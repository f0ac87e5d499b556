import type { EventHeaders } from '../../src'

/** The payload of an event: its sender, its number at the sender, and filler bytes. */
export interface TestPayload {
  readonly sender: string
  readonly event: number
  readonly filler: Uint8Array
}

/** The form of the payload: an object, or plain bytes, which the codec handles separately. */
export type Wrapping = 'object' | 'bytes'

export function wrap({ sender, event, filler }: TestPayload, wrapping: Wrapping): unknown {
  if (wrapping === 'object') return { sender, event, ...noteOf(event), filler }
  return Buffer.concat([Buffer.from(`${sender} ${event} `), filler])
}

/** Undefined for any other value. */
export function unwrap(payload: unknown): TestPayload | undefined {
  if (payload instanceof Uint8Array) return unwrapBytes(Buffer.from(payload))
  if (typeof payload !== 'object' || payload === null) return undefined
  if (!('sender' in payload) || !('event' in payload) || !('filler' in payload)) return undefined
  const { sender, event, filler } = payload
  if (typeof sender !== 'string' || typeof event !== 'number' || !(filler instanceof Uint8Array)) return undefined
  if ('note' in payload !== 'note' in noteOf(event)) return undefined
  return { sender, event, filler }
}

/** Every fifth payload has a note, so that not all that look like records are. */
function noteOf(event: number): { readonly note?: string } {
  return event % 5 === 0 ? { note: '' } : {}
}

function unwrapBytes(bytes: Buffer): TestPayload | undefined {
  const first = bytes.indexOf(' ')
  const second = bytes.indexOf(' ', first + 1)
  if (first < 0 || second < 0) return undefined
  const sender = bytes.toString('utf8', 0, first)
  const event = Number(bytes.toString('utf8', first + 1, second))
  return { sender, event, filler: bytes.subarray(second + 1) }
}

/** The headers of every third event and request. */
export function headersFor(number: number): EventHeaders {
  return number % 3 === 0 ? { number: String(number) } : {}
}

/** The number in the headers; 0 if there is none. */
export function numberIn({ number = '0' }: EventHeaders): number {
  return Number(number)
}

/** A hash of a payload (FNV-1a, 32 bits). */
export function digestOf({ sender, event, filler }: TestPayload): number {
  let hash = 0x811c9dc5
  for (const bytes of [Buffer.from(`${sender} ${event} `), filler]) {
    for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193)
  }
  return hash >>> 0
}
