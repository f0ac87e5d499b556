export const PAYLOADS = ['binary', 'object', 'text'] as const

export type PayloadName = (typeof PAYLOADS)[number]

/** Bytes that a payload has at least, to hold its stamp. */
export const STAMP_BYTES = 16

/** What a payload says of itself. */
export interface Stamp {
  readonly sequence: number
  /** The number of the process that has sent it. */
  readonly origin: number
  /** Microseconds of the shared clock; 0 if this one's time is not taken. */
  readonly sentAt: number
}

/** Makes payloads of a kind, and reads their stamps: cheaply, for that is no part of what is measured. */
export interface PayloadKind {
  /** What is returned may be used again for the next: who keeps it after `send` has returned copies it. */
  make(sequence: number, origin: number, sentAt: number): unknown
  /** @throws TypeError if it is no payload of this kind */
  sequenceOf(payload: unknown): number
  originOf(payload: unknown): number
  sentAtOf(payload: unknown): number
  /** Has nothing been cut off? */
  isWhole(payload: unknown): boolean
}

export function payloadKind(name: PayloadName, bytes: number): PayloadKind {
  switch (name) {
    case 'binary':
      return binary(bytes)
    case 'object':
      return object(bytes)
    case 'text':
      return text(bytes)
  }
}

function binary(bytes: number): PayloadKind {
  const payload = Buffer.alloc(bytes)
  return {
    make(sequence, origin, sentAt) {
      payload.writeUInt32LE(sequence, 0)
      payload.writeUInt32LE(origin, 4)
      payload.writeDoubleLE(sentAt, 8)
      return payload
    },
    sequenceOf: (value) => bufferOf(value).readUInt32LE(0),
    originOf: (value) => bufferOf(value).readUInt32LE(4),
    sentAtOf: (value) => bufferOf(value).readDoubleLE(8),
    isWhole: (value) => bufferOf(value).length === bytes,
  }
}

function bufferOf(value: unknown): Buffer {
  if (value instanceof Buffer) return value
  throw new TypeError(`expected a Buffer, got ${String(value)}`)
}

/** The fields of `object` payloads that the bench reads. */
interface Order {
  readonly sequence: number
  readonly origin: number
  readonly sentAt: number
  readonly note: string
}

/** Ten fields, as an application might have them; `note` fills them up to the size wanted. */
function object(bytes: number): PayloadKind {
  const make = (sequence: number, origin: number, sentAt: number, note: string) => ({
    sequence,
    origin,
    sentAt,
    customer: 'Ada Lovelace',
    total: 129.95,
    quantity: 3,
    paid: true,
    tags: ['gift', 'express'],
    address: { street: '12 St James Square', city: 'London', zip: 'SW1Y 4JH' },
    note,
  })
  const note = 'x'.repeat(Math.max(0, bytes - JSON.stringify(make(0, 0, 0, '')).length))
  return {
    make: (sequence, origin, sentAt) => make(sequence, origin, sentAt, note),
    sequenceOf: (value) => orderOf(value).sequence,
    originOf: (value) => orderOf(value).origin,
    sentAtOf: (value) => orderOf(value).sentAt,
    isWhole: (value) => orderOf(value).note.length === note.length && Object.keys(orderOf(value)).length === 10,
  }
}

function orderOf(value: unknown): Order {
  if (isOrder(value)) return value
  throw new TypeError(`expected an order, got ${JSON.stringify(value)}`)
}

function isOrder(value: unknown): value is Order {
  return typeof value === 'object' && value !== null && 'sequence' in value && typeof value.sequence === 'number'
}

/** Digits of each number of a stamp. */
const DIGITS = 16

function text(bytes: number): PayloadKind {
  const filler = 'x'.repeat(Math.max(0, bytes - 3 * DIGITS))
  const digits = (value: number) => value.toFixed(0).padStart(DIGITS, '0')
  const read = (value: unknown, at: number) => Number(textOf(value).slice(at * DIGITS, (at + 1) * DIGITS))
  return {
    make: (sequence, origin, sentAt) => digits(sequence) + digits(origin) + digits(sentAt) + filler,
    sequenceOf: (value) => read(value, 0),
    originOf: (value) => read(value, 1),
    sentAtOf: (value) => read(value, 2),
    isWhole: (value) => textOf(value).length === 3 * DIGITS + filler.length,
  }
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  throw new TypeError(`expected a string, got ${String(value)}`)
}
