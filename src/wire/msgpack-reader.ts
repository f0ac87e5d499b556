import { ProtocolViolation } from '../model/errors'
import { ByteCopies } from './byte-copies'
import { type DecodedKey, DecodedKeys } from './decoded-keys'
import {
  ARRAY_16,
  ARRAY_32,
  BIGINT,
  BIN_8,
  BIN_16,
  BIN_32,
  EXT_8,
  EXT_16,
  EXT_32,
  FALSE,
  FIXARRAY,
  FIXEXT_1,
  FIXEXT_2,
  FIXEXT_4,
  FIXEXT_8,
  FIXEXT_16,
  FIXMAP,
  FIXSTR,
  FLOAT_32,
  FLOAT_64,
  INT_8,
  INT_16,
  INT_32,
  INT_64,
  MAP_16,
  MAP_32,
  MAX_BIGINT_BYTES,
  NEGATIVE_FIXINT,
  NIL,
  RECORD,
  STR_8,
  STR_16,
  STR_32,
  TIMESTAMP,
  TRUE,
  UINT_8,
  UINT_16,
  UINT_32,
  UINT_64,
  UNDEFINED,
} from './msgpack-format'
import { objectOf, put, type Shape } from './shape'
import { TextSlices } from './text-slices'
import { NO_SHAPES } from './told-shapes'

/** Up to this length, a text is put together from its characters: a call of Node's own code takes longer. */
const SHORT_TEXT = 8

/** The highest bits of four bytes. */
const NOT_ASCII = 0x80808080

/** Elements of an array whose memory is taken at once. */
const MAX_PREALLOCATED = 32

/** Places for values that are kept. */
const MAX_KEPT_VALUES = 256

/** Memory that is kept for its view, in bytes. */
const MAX_VIEWED_BYTES = 256 * 1024

const EMPTY = Buffer.alloc(0)
const NO_VIEW: DataView = new DataView(EMPTY.buffer, 0, 0)

/**
 * Reads msgpack in one pass, and refuses what the protocol does not know. What a payload announces is compared with its size
 * before memory is allocated for it.
 */
export class MsgpackReader {
  readonly #keys = new DecodedKeys()
  readonly #copies = new ByteCopies()
  readonly #slices = new TextSlices()
  /** A stack of the values of objects that are being read. */
  readonly #values: unknown[] = []
  /** Where those of the next object begin. */
  #top = 0
  #bytes: Buffer = EMPTY
  /** Of all the memory that the buffer is a part of; undefined until the buffer needs it. */
  #view: DataView | undefined
  /** Where the buffer begins in it. */
  #offset = 0
  /** The view that was used last: chunks often share their memory. */
  #lastView = NO_VIEW
  #at = 0
  #end = 0
  #isOwn = false
  #shapes = NO_SHAPES

  /**
   * Reads the one value in a range of a buffer, which must not change until `forget`.
   *
   * @param levels of nested arrays and maps that it may have
   * @param isOwn whether the buffer won't be overwritten: then bytes that are most of it aren't copied
   * @param shapes those that records may have. Default none
   * @throws ProtocolViolation
   */
  read(bytes: Buffer, start: number, end: number, levels: number, isOwn = false, shapes = NO_SHAPES): unknown {
    if (bytes !== this.#bytes) {
      this.#bytes = bytes
      this.#view = undefined
    }
    this.#at = start
    this.#end = end
    this.#isOwn = isOwn
    this.#shapes = shapes
    this.#slices.begin()
    this.#top = 0
    const value = this.#value(levels)
    if (this.#at !== end) throw malformed('bytes after its end')
    return value
  }

  /** Forgets the buffer, which may be overwritten now. */
  forget(): void {
    this.#bytes = EMPTY
    this.#view = undefined
    if (this.#values.length > MAX_KEPT_VALUES) this.#values.length = 0
    else this.#values.fill(undefined)
    if (this.#lastView.byteLength > MAX_VIEWED_BYTES) this.#lastView = NO_VIEW
    this.#copies.forget()
  }

  #value(levels: number): unknown {
    const head = this.#bytes[this.#at++] ?? RECORD
    if (head < FIXMAP) return head
    if (head < FIXARRAY) return this.#map(head & 0x0f, levels)
    if (head < FIXSTR) return this.#array(head & 0x0f, levels)
    if (head < NIL) return this.#text(head & 0x1f)
    if (head >= NEGATIVE_FIXINT) return head - 0x100
    return this.#byFormat(head, levels)
  }

  #byFormat(head: number, levels: number): unknown {
    switch (head) {
      case NIL:
        return null
      case RECORD:
        return this.#record(levels)
      case FALSE:
        return false
      case TRUE:
        return true
      case BIN_8:
        return this.#binary(this.#uint8())
      case BIN_16:
        return this.#binary(this.#uint16())
      case BIN_32:
        return this.#binary(this.#uint32())
      case EXT_8:
        return this.#extension(this.#uint8())
      case EXT_16:
        return this.#extension(this.#uint16())
      case EXT_32:
        return this.#extension(this.#uint32())
      case FLOAT_32:
        return this.#memoryView.getFloat32(this.#offset + this.#take(4))
      case FLOAT_64:
        return this.#memoryView.getFloat64(this.#offset + this.#take(8))
      case UINT_8:
        return this.#uint8()
      case UINT_16:
        return this.#uint16()
      case UINT_32:
        return this.#uint32()
      case UINT_64:
        return this.#memoryView.getBigUint64(this.#offset + this.#take(8))
      case INT_8:
        return (this.#uint8() << 24) >> 24
      case INT_16:
        return (this.#uint16() << 16) >> 16
      case INT_32:
        return this.#uint32() | 0
      case INT_64:
        return this.#memoryView.getBigInt64(this.#offset + this.#take(8))
      case FIXEXT_1:
      case FIXEXT_2:
      case FIXEXT_4:
      case FIXEXT_8:
      case FIXEXT_16:
        return this.#extension(1 << (head - FIXEXT_1))
      case STR_8:
        return this.#text(this.#uint8())
      case STR_16:
        return this.#text(this.#uint16())
      case STR_32:
        return this.#text(this.#uint32())
      case ARRAY_16:
        return this.#array(this.#uint16(), levels)
      case ARRAY_32:
        return this.#array(this.#uint32(), levels)
      case MAP_16:
        return this.#map(this.#uint16(), levels)
      case MAP_32:
        return this.#map(this.#uint32(), levels)
      default:
        throw malformed('a byte that begins no value')
    }
  }

  /** An object whose keys have been told. */
  #record(levels: number): object {
    const shape = this.#shapes.get(this.#uint8())
    if (!shape) throw malformed('a record of a shape that it was not told')
    const count = shape.keys.length
    this.#checkFits(count, levels)
    const values = this.#values
    const base = this.#top
    this.#top = base + count
    for (let index = base; index < base + count; index++) values[index] = this.#value(levels - 1)
    this.#top = base
    return shape.make(values, base)
  }

  #array(count: number, levels: number): unknown[] {
    this.#checkFits(count, levels)
    // One that grows takes more; but one of any length could be announced again and again, in bytes that are not there.
    if (count > MAX_PREALLOCATED) return this.#longArray(count, levels)
    const array = new Array<unknown>(count)
    for (let index = 0; index < count; index++) array[index] = this.#value(levels - 1)
    return array
  }

  #longArray(count: number, levels: number): unknown[] {
    const array: unknown[] = []
    for (let index = 0; index < count; index++) array.push(this.#value(levels - 1))
    return array
  }

  #map(count: number, levels: number): object {
    this.#checkFits(2 * count, levels)
    const first = count > 0 ? this.#shortKey() : undefined
    const shape = first?.shapes?.find(count)
    if (first && shape) return this.#mapOfShape(first, shape, levels)
    const isWorthwhile = first !== undefined && this.#keys.shouldLearn(first, count)
    return this.#restOfMap({}, 0, first, count, levels, isWorthwhile ? [] : undefined)
  }

  /** An object that begins with this key, and probably has this shape. */
  #mapOfShape(first: DecodedKey, expected: Shape<DecodedKey>, levels: number): object {
    const count = expected.keys.length
    const values = this.#values
    const base = this.#top
    this.#top = base + count
    let shape = expected
    values[base] = this.#value(levels - 1)
    for (let index = 1; index < count; index++) {
      if (!this.#accept(shape.keys[index]?.encoded)) {
        const key = this.#shortKey()
        const other = key && first.shapes?.branch(shape, index, key)
        if (!other) {
          this.#top = base
          const known = first.shapes?.isOpen ? shape.keys.slice(0, index) : undefined
          return this.#restOfMap(objectOf(shape.keys, values, base, index), index, key, count, levels, known)
        }
        shape = other
      }
      values[base + index] = this.#value(levels - 1)
    }
    this.#top = base
    this.#keys.skipTo(shape)
    return shape.make(values, base)
  }

  /**
   * The rest of an object.
   *
   * @param index how many of its keys have values
   * @param next the key that was read last, if it has a short form
   * @param count of all its keys
   * @param keys those that have values, if they are to be remembered
   */
  #restOfMap(
    object: Record<string, unknown>,
    index: number,
    next: DecodedKey | undefined,
    count: number,
    levels: number,
    keys: DecodedKey[] | undefined,
  ): object {
    let key = next
    for (let left = count - index; left > 0; left--) {
      if (key) keys?.push(key)
      put(object, key ? key.key : this.#otherKey(levels), this.#value(levels - 1))
      if (left > 1) key = this.#shortKey()
    }
    if (keys?.length === count) this.#keys.learn(keys)
    return object
  }

  /** @param values number of values that follow, of a byte each at least */
  #checkFits(values: number, levels: number): void {
    if (values > this.#end - this.#at) throw malformed('fewer values than it announces')
    if (levels === 0) throw malformed('a value that is nested too deep')
  }

  /** Moves past these bytes if they are the next ones. */
  #accept(expected: Uint8Array = EMPTY): boolean {
    const at = this.#at
    const bytes = this.#bytes
    const { length } = expected
    if (length > this.#end - at) return false
    for (let index = 0; index < length; index++) if (bytes[at + index] !== expected[index]) return false
    this.#at = at + length
    return length > 0
  }

  /** A key that is a text of up to 255 bytes, in its short form; undefined if it isn't. */
  #shortKey(): DecodedKey | undefined {
    const head = this.#bytes[this.#at] ?? RECORD
    if (head >= FIXSTR && head < NIL) {
      this.#at++
      return this.#keyOf(head & 0x1f)
    }
    if (head !== STR_8) return undefined
    this.#at++
    return this.#keyOf(this.#uint8())
  }

  /** A key in another form. */
  #otherKey(levels: number): string {
    const key = this.#value(levels - 1)
    if (typeof key === 'object' && key !== null) throw malformed('a key that is no string, number or boolean')
    return String(key) === '__proto__' ? '__proto_' : String(key)
  }

  #keyOf(length: number): DecodedKey {
    const at = this.#take(length)
    return this.#keys.read(this.#bytes, at, length)
  }

  #text(length: number): string {
    const at = this.#take(length)
    const bytes = this.#bytes
    const text = length <= SHORT_TEXT ? shortText(bytes, at, length) : this.#slice(at, length)
    // Without a name of the encoding, which would be looked up.
    return text ?? bytes.toString(undefined, at, at + length)
  }

  #slice(at: number, length: number): string | undefined {
    if (!this.#slices.suits(at, length, this.#end)) return undefined
    if (!isAscii(this.#memoryView, this.#offset + at, length)) return undefined
    return this.#slices.read(this.#bytes, at, length, this.#end)
  }

  #binary(length: number): Buffer {
    const bytes = this.#bytes
    const at = this.#take(length)
    if (this.#isOwn && 2 * length >= bytes.length) return bytes.subarray(at, at + length)
    return this.#copies.of(bytes, at, at + length)
  }

  #extension(length: number): unknown {
    const type = this.#uint8()
    const at = this.#take(length)
    switch (type) {
      case UNDEFINED:
        return undefined
      case TIMESTAMP:
        return this.#timestamp(at, length)
      case BIGINT:
        return bigintOf(this.#bytes.subarray(at, at + length))
      default:
        throw malformed(`an extension of type ${type}`)
    }
  }

  #timestamp(at: number, length: number): Date {
    const bytes = this.#bytes
    switch (length) {
      case 1:
        return new Date(Number.NaN)
      case 4:
        return new Date(bytes.readUInt32BE(at) * 1000)
      case 8: {
        const nanoseconds = bytes.readUInt32BE(at)
        const seconds = (nanoseconds & 3) * 0x1_0000_0000 + bytes.readUInt32BE(at + 4)
        return new Date(seconds * 1000 + Math.floor((nanoseconds >>> 2) / 1_000_000))
      }
      case 12:
        return new Date(Number(bytes.readBigInt64BE(at + 4)) * 1000 + Math.floor(bytes.readUInt32BE(at) / 1_000_000))
      default:
        throw malformed(`a timestamp of ${length} bytes`)
    }
  }

  #uint8(): number {
    return this.#bytes[this.#take(1)] ?? 0
  }

  #uint16(): number {
    const at = this.#take(2)
    return ((this.#bytes[at] ?? 0) << 8) | (this.#bytes[at + 1] ?? 0)
  }

  #uint32(): number {
    return ((this.#uint16() << 16) >>> 0) + this.#uint16()
  }

  /** Moves past so many bytes. Returns where they begin. */
  #take(length: number): number {
    const at = this.#at
    if (length > this.#end - at) throw malformed('fewer bytes than it announces')
    this.#at = at + length
    return at
  }

  get #memoryView(): DataView {
    return this.#view ?? this.#makeView()
  }

  #makeView(): DataView {
    const { buffer, byteOffset } = this.#bytes
    if (this.#lastView.buffer !== buffer) this.#lastView = new DataView(buffer)
    this.#view = this.#lastView
    this.#offset = byteOffset
    return this.#view
  }
}

function malformed(what: string): ProtocolViolation {
  return new ProtocolViolation('malformed', `expected msgpack, got ${what}`)
}

const { fromCharCode } = String

/** A text of up to 8 characters; undefined if it is not ASCII. */
function shortText(bytes: Buffer, at: number, length: number): string | undefined {
  const a = bytes[at] ?? 0
  const b = bytes[at + 1] ?? 0
  const c = bytes[at + 2] ?? 0
  const d = bytes[at + 3] ?? 0
  switch (length) {
    case 0:
      return ''
    case 1:
      return a < 0x80 ? fromCharCode(a) : undefined
    case 2:
      return (a | b) < 0x80 ? fromCharCode(a, b) : undefined
    case 3:
      return (a | b | c) < 0x80 ? fromCharCode(a, b, c) : undefined
    case 4:
      return (a | b | c | d) < 0x80 ? fromCharCode(a, b, c, d) : undefined
  }
  const e = bytes[at + 4] ?? 0
  const f = length > 5 ? (bytes[at + 5] ?? 0) : 0
  const g = length > 6 ? (bytes[at + 6] ?? 0) : 0
  const h = length > 7 ? (bytes[at + 7] ?? 0) : 0
  if ((a | b | c | d | e | f | g | h) >= 0x80) return undefined
  switch (length) {
    case 5:
      return fromCharCode(a, b, c, d, e)
    case 6:
      return fromCharCode(a, b, c, d, e, f)
    case 7:
      return fromCharCode(a, b, c, d, e, f, g)
    default:
      return fromCharCode(a, b, c, d, e, f, g, h)
  }
}

/** @throws ProtocolViolation unless it is over 64 bits and in its only form */
function bigintOf(bytes: Buffer): bigint {
  const { length } = bytes
  const [first = 0, second = 0] = bytes
  if (length < 9 || length > MAX_BIGINT_BYTES) throw malformed(`an integer of ${length} bytes`)
  const isNegative = first >= 0x80
  const isPadded = second >= 0x80 === isNegative && first === (isNegative ? 0xff : 0)
  if (isPadded || (length === 9 && first === 0)) throw malformed('an integer that has a shorter form')
  return BigInt.asIntN(8 * length, BigInt(`0x${bytes.toString('hex')}`))
}

/** Four bytes at a time, of which the last may overlap with those before. */
function isAscii(view: DataView, at: number, length: number): boolean {
  const last = at + length - 4
  let bits = view.getInt32(last)
  for (let four = at; four < last; four += 4) bits |= view.getInt32(four)
  return (bits & NOT_ASCII) === 0
}
