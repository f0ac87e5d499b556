import { isShapeName, SHAPE_NAMES, SHAPES, type Shape, type ShapeName } from './shape'

/** Those whose size can be chosen. */
const SIZED = ['binary', 'object', 'text', 'unicode'] as const

type SizedName = (typeof SIZED)[number]

export type PayloadName = SizedName | ShapeName

export const PAYLOADS: readonly PayloadName[] = [...SIZED, ...SHAPE_NAMES]

/** The least size of a payload: that of its stamp. */
export const STAMP_BYTES = 16

/** Makes payloads and reads the stamp of each: its sequence number, its sender's number, and when it was sent. */
export interface PayloadKind {
  /**
   * May return the same object again: copy it to keep it after `send` has returned.
   *
   * @param sentAt microseconds of the shared clock; 0 if this one is not timed
   */
  make(sequence: number, origin: number, sentAt: number): unknown
  /** @throws TypeError for a payload of another kind */
  sequenceOf(payload: unknown): number
  originOf(payload: unknown): number
  sentAtOf(payload: unknown): number
  /** Whether it has its full size. */
  isWhole(payload: unknown): boolean
}

const KINDS: Readonly<Record<SizedName, (bytes: number) => PayloadKind>> = {
  binary,
  object,
  text: (bytes) => text(bytes, 'x'),
  unicode: (bytes) => text(bytes, 'Größe 中文 '),
}

/** @param bytes of the payload, that of an object in JSON, that of a text in characters; a shape has a size of its own */
export function payloadKind(name: PayloadName, bytes: number): PayloadKind {
  return isShapeName(name) ? shaped(SHAPES[name]) : KINDS[name](bytes)
}

function shaped(shape: Shape): PayloadKind {
  const numberIn = (value: unknown, key: string) => {
    const number = recordOf(value)[key]
    if (typeof number === 'number') return number
    throw new TypeError(`expected a number as ${key}, got ${String(number)}`)
  }
  return {
    make: shape.make,
    sequenceOf: (value) => numberIn(value, 'sequence'),
    originOf: (value) => numberIn(value, 'origin'),
    sentAtOf: (value) => numberIn(value, 'sentAt'),
    isWhole: (value) => shape.isWhole(recordOf(value)),
  }
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  if (isRecord(value)) return value
  throw new TypeError(`expected an object, got ${String(value)}`)
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
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

/** @throws TypeError */
export function bufferOf(value: unknown): Buffer {
  if (value instanceof Buffer) return value
  throw new TypeError(`expected a Buffer, got ${String(value)}`)
}

/** The fields of an object payload that the bench reads. */
interface Order {
  readonly sequence: number
  readonly origin: number
  readonly sentAt: number
  readonly note: string
}

/** Ten fields, as an application might have them. `note` pads them to the size in JSON. */
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

/** Characters of a number in a text. */
const DIGITS = 9

/** Each character stands for six bits, from `0` on: turning decimals into numbers would take longer than to send them. */
const ZERO = 48
const BITS = 6

const { fromCharCode } = String

/**
 * Three numbers, and behind them what fills it.
 *
 * @param pattern what fills it
 */
function text(bytes: number, pattern: string): PayloadKind {
  const filler = pattern.repeat(bytes).slice(0, Math.max(0, bytes - 3 * DIGITS))
  const nothing = digitsOf(0)
  return {
    make(sequence, origin, sentAt) {
      return digitsOf(sequence) + digitsOf(origin) + (sentAt === 0 ? nothing : digitsOf(sentAt)) + filler
    },
    sequenceOf: (value) => numberIn(value, 0),
    originOf: (value) => numberIn(value, 1),
    sentAtOf: (value) => numberIn(value, 2),
    isWhole: (value) => textOf(value).length === 3 * DIGITS + filler.length,
  }
}

/** The high half has the first four characters. */
function digitsOf(value: number): string {
  const low = value % 2 ** 30
  const high = (value - low) / 2 ** 30
  const at = (half: number, shift: number) => ZERO + ((half >>> shift) & 63)
  return fromCharCode(
    at(high, 18),
    at(high, 12),
    at(high, BITS),
    at(high, 0),
    at(low, 24),
    at(low, 18),
    at(low, 12),
    at(low, BITS),
    at(low, 0),
  )
}

function numberIn(value: unknown, index: number): number {
  const text = textOf(value)
  let number = 0
  for (let at = index * DIGITS; at < (index + 1) * DIGITS; at++)
    number = number * 2 ** BITS + text.charCodeAt(at) - ZERO
  return number
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  throw new TypeError(`expected a string, got ${String(value)}`)
}
