import { countBytes } from '../model/bytes'
import { EncodedKeys } from './encoded-keys'
import { Overlong } from './flaw'
import {
  ARRAY_16,
  BIGINT,
  BIN_8,
  EXT_8,
  FALSE,
  FIXARRAY,
  FIXEXT_1,
  FIXEXT_4,
  FIXEXT_8,
  FIXEXT_16,
  FIXMAP,
  FIXMAP_KEYS,
  FIXSTR,
  FLOAT_64,
  INT_8,
  INT_16,
  INT_32,
  INT_64,
  MAP_16,
  NIL,
  RECORD,
  STR_8,
  TIMESTAMP,
  TRUE,
  UINT_8,
  UINT_16,
  UINT_32,
  UINT_64,
  UNDEFINED,
} from './msgpack-format'
import type { Region } from './region'

/** The operating system allocates only the pages that are used. */
const SPARE_BYTES = 256 * 1024

/** A larger buffer isn't kept for the next value. */
const MAX_SPARE_BYTES = 1024 * 1024

/** From this length on, a call of Node's own code is faster than a loop. */
const LONG_TEXT = 64
const LONG_BYTES = 48

/** Of a text or bytes. */
const MAX_HEAD_BYTES = 5

const NO_BYTES = Buffer.alloc(0)

const NO_REGION: Region = { bytes: NO_BYTES, view: new DataView(NO_BYTES.buffer, 0, 0), start: 0, end: 0 }

/**
 * Writes msgpack in its shortest formats: to a region as far as it fits there, else to a buffer that grows up to a limit. Its
 * methods throw `Overlong` beyond that.
 */
export class MsgpackWriter {
  readonly #keys = new EncodedKeys()
  /** A buffer for what is given no region. */
  #own = NO_REGION
  #bytes: Buffer = NO_BYTES
  #view: DataView = NO_REGION.view
  #start = 0
  #end = 0
  /** Where the longest value ends. */
  #limit = 0
  /** Up to there, it may be written without a further look: the end of the region, or the limit. */
  #safeEnd = 0

  /** What has been written is there from `start` to `end`. */
  get bytes(): Buffer {
    return this.#bytes
  }

  get start(): number {
    return this.#start
  }

  get end(): number {
    return this.#end
  }

  /** Starts another value. */
  begin(limit: number, region?: Region): void {
    if (this.#own.end > MAX_SPARE_BYTES) this.#own = NO_REGION
    const { bytes, view, start, end } = region ?? this.#ownRegion(SPARE_BYTES)
    this.#bytes = bytes
    this.#view = view
    this.#start = this.#end = start
    this.#limit = start + limit
    this.#safeEnd = Math.min(end, this.#limit)
  }

  nil(): void {
    this.#byte(NIL)
  }

  boolean(value: boolean): void {
    this.#byte(value ? TRUE : FALSE)
  }

  undefined(): void {
    const at = this.#reserve(3)
    this.#bytes[at] = FIXEXT_1
    this.#bytes[at + 1] = UNDEFINED
    this.#bytes[at + 2] = 0
  }

  number(value: number): void {
    if (value >>> 0 === value) this.#unsigned(value)
    else if (value >> 0 === value) this.#negative(value)
    else {
      const at = this.#reserve(9)
      this.#bytes[at] = FLOAT_64
      this.#view.setFloat64(at + 1, value)
    }
  }

  /** An integer of up to 64 bits. */
  bigint(value: bigint): void {
    const isSigned = BigInt.asIntN(64, value) === value
    const at = this.#reserve(9)
    this.#bytes[at] = isSigned ? INT_64 : UINT_64
    this.#view.setBigUint64(at + 1, BigInt.asUintN(64, value))
  }

  /** An integer of over 64 bits: two's complement, in as few bytes as have room for its sign. */
  longBigint(value: bigint): void {
    const least = Math.ceil((value < 0n ? ~value : value).toString(16).length / 2)
    const length = BigInt.asIntN(8 * least, value) === value ? least : least + 1
    if (length === 16) this.#byte(FIXEXT_16)
    else this.#length(EXT_8, length)
    this.#byte(BIGINT)
    const digits = BigInt.asUintN(8 * length, value).toString(16)
    const at = this.#reserve(length)
    this.#bytes.write(digits.padStart(2 * length, '0'), at, 'hex')
  }

  string(value: string): void {
    const { length } = value
    if (length >= LONG_TEXT) return this.#longString(value)
    const headBytes = length < 0x20 ? 1 : 2
    const start = this.#reserve(headBytes + length)
    const bytes = this.#bytes
    let at = start + headBytes
    for (let index = 0; index < length; index++) {
      const code = value.charCodeAt(index)
      if (code >= 0x80) {
        this.#end = start
        return this.#shortString(value)
      }
      bytes[at++] = code
    }
    if (headBytes === 1) bytes[start] = FIXSTR | length
    else {
      bytes[start] = STR_8
      bytes[start + 1] = length
    }
  }

  /** The same as `string`, for a text that is written again and again. */
  key(key: string): void {
    const known = this.#keys.find(key)
    if (!known) return this.string(key)
    const { words, length } = known
    let at = this.#reserve(words.length * 4)
    this.#end = at + length
    for (let index = 0; index < words.length; index++, at += 4) this.#view.setUint32(at, words[index] ?? 0)
  }

  binary(value: Uint8Array): void {
    const length = countBytes(value)
    this.#length(BIN_8, length)
    const at = this.#reserve(length)
    const bytes = this.#bytes
    if (length >= LONG_BYTES) bytes.set(value, at)
    else for (let index = 0; index < length; index++) bytes[at + index] = value[index] ?? 0
  }

  /** @param time milliseconds since 1970; NaN for an invalid date */
  timestamp(time: number): void {
    const seconds = Math.floor(time / 1000)
    const nanoseconds = (time - seconds * 1000) * 1_000_000
    const isShort = time >= 0 && seconds < 0x100000000
    if (Number.isNaN(time)) {
      this.#head(FIXEXT_1, TIMESTAMP)
      this.#byte(0xff)
    } else if (isShort && nanoseconds === 0) {
      this.#head(FIXEXT_4, TIMESTAMP)
      this.#uint32(seconds)
    } else if (isShort) {
      this.#head(FIXEXT_8, TIMESTAMP)
      this.#uint32(nanoseconds * 4)
      this.#uint32(seconds)
    } else {
      this.#head(EXT_8, 12)
      this.#byte(TIMESTAMP)
      this.#uint32(nanoseconds)
      const at = this.#reserve(8)
      this.#view.setBigInt64(at, BigInt(seconds))
    }
  }

  /** The head of an array. Its elements follow. */
  array(count: number): void {
    this.#count(FIXARRAY, ARRAY_16, count)
  }

  /** The head of a map. Its keys and values follow. */
  map(count: number): void {
    this.#count(FIXMAP, MAP_16, count)
  }

  /** The head of a map, to be completed by `endMap`. Returns its place. */
  beginMap(): number {
    return this.#reserve(1)
  }

  /** Completes the head of a map, whose keys and values have been written. */
  endMap(at: number, count: number): void {
    if (count <= FIXMAP_KEYS) {
      this.#bytes[at] = FIXMAP | count
      return
    }
    const countBytes = count < 0x10000 ? 2 : 4
    const end = this.#end
    this.#reserve(countBytes)
    this.#bytes.copyWithin(at + 1 + countBytes, at + 1, end)
    this.#bytes[at] = countBytes === 2 ? MAP_16 : MAP_16 + 1
    this.#bytes.writeUIntBE(count, at + 1, countBytes)
  }

  /** The head of a record, to be completed by `endRecord`. The values of its keys follow. */
  beginRecord(): void {
    this.#head(RECORD, 0)
  }

  /** Completes the head of a record. */
  endRecord(at: number, shape: number): void {
    this.#bytes[at + 1] = shape
  }

  /** Takes back what has been written from a place on. Returns a copy of it. */
  takeBack(at: number): Buffer {
    const taken = Buffer.from(this.#bytes.subarray(at, this.#end))
    this.#end = at
    return taken
  }

  /** What has been written already. */
  packed(bytes: Uint8Array): void {
    const at = this.#reserve(bytes.length)
    this.#bytes.set(bytes, at)
  }

  #unsigned(value: number): void {
    const at = this.#reserve(5)
    const bytes = this.#bytes
    if (value < 0x80) {
      bytes[at] = value
      this.#end = at + 1
    } else if (value < 0x100) {
      bytes[at] = UINT_8
      bytes[at + 1] = value
      this.#end = at + 2
    } else if (value < 0x10000) {
      bytes[at] = UINT_16
      bytes[at + 1] = value >> 8
      bytes[at + 2] = value
      this.#end = at + 3
    } else {
      bytes[at] = UINT_32
      this.#view.setUint32(at + 1, value)
    }
  }

  #negative(value: number): void {
    const at = this.#reserve(5)
    const bytes = this.#bytes
    if (value >= -0x20) {
      bytes[at] = value
      this.#end = at + 1
    } else if (value >= -0x80) {
      bytes[at] = INT_8
      bytes[at + 1] = value
      this.#end = at + 2
    } else if (value >= -0x8000) {
      bytes[at] = INT_16
      bytes[at + 1] = value >> 8
      bytes[at + 2] = value
      this.#end = at + 3
    } else {
      bytes[at] = INT_32
      this.#view.setInt32(at + 1, value)
    }
  }

  /** A short text that is not ASCII. */
  #shortString(value: string): void {
    const length = utf8BytesOf(value)
    if (length < 0x20) this.#byte(FIXSTR | length)
    else this.#head(STR_8, length)
    let at = this.#reserve(length)
    const bytes = this.#bytes
    for (let index = 0; index < value.length; index++) {
      const code = codePointAt(value, index)
      if (code < 0x80) bytes[at++] = code
      else {
        if (code < 0x800) bytes[at++] = 0xc0 | (code >> 6)
        else {
          if (code < 0x10000) bytes[at++] = 0xe0 | (code >> 12)
          else {
            index++
            bytes[at++] = 0xf0 | (code >> 18)
            bytes[at++] = 0x80 | ((code >> 12) & 0x3f)
          }
          bytes[at++] = 0x80 | ((code >> 6) & 0x3f)
        }
        bytes[at++] = 0x80 | (code & 0x3f)
      }
    }
  }

  /** Written after a head for ASCII, which is mostly right: measuring takes half as long as writing. */
  #longString(value: string): void {
    const { length } = value
    const start = this.#end
    // Each unit of UTF-16 takes a byte at least: don't measure what can't fit.
    if (length > this.#limit - start) throw new Overlong()
    if (start + MAX_HEAD_BYTES + 3 * length > this.#safeEnd) return this.#measuredString(value)
    const bytes = this.#bytes
    const guessed = headBytesOf(length)
    const written = bytes.write(value, start + guessed)
    const headBytes = headBytesOf(written)
    if (headBytes !== guessed) bytes.copyWithin(start + headBytes, start + guessed, start + guessed + written)
    this.#length(STR_8, written)
    this.#end = start + headBytes + written
  }

  #measuredString(value: string): void {
    const length = Buffer.byteLength(value)
    this.#length(STR_8, length)
    const at = this.#reserve(length)
    this.#bytes.write(value, at)
  }

  /** The head of an array or a map. Each element takes a byte at least. */
  #count(short: number, format16: number, count: number): void {
    if (this.#end + count > this.#limit) throw new Overlong()
    if (count < 0x10) return this.#byte(short | count)
    if (count < 0x10000) return this.#head16(format16, count)
    this.#byte(format16 + 1)
    this.#uint32(count)
  }

  /** The head of a string, of bytes, or of an extension. */
  #length(format8: number, length: number): void {
    if (length < 0x100) return this.#head(format8, length)
    if (length < 0x10000) return this.#head16(format8 + 1, length)
    this.#byte(format8 + 2)
    this.#uint32(length)
  }

  #byte(byte: number): void {
    const at = this.#reserve(1)
    this.#bytes[at] = byte
  }

  #head(first: number, second: number): void {
    const at = this.#reserve(2)
    this.#bytes[at] = first
    this.#bytes[at + 1] = second
  }

  #head16(first: number, value: number): void {
    const at = this.#reserve(3)
    this.#bytes[at] = first
    this.#bytes[at + 1] = value >> 8
    this.#bytes[at + 2] = value
  }

  #uint32(value: number): void {
    const at = this.#reserve(4)
    this.#view.setUint32(at, value)
  }

  /** Makes room for bytes, perhaps in a larger buffer. Returns their place. */
  #reserve(bytes: number): number {
    const at = this.#end
    this.#end = at + bytes
    if (this.#end > this.#safeEnd) this.#grow(at)
    return at
  }

  /** Moves what has been written to a larger buffer of its own, to the same place there. */
  #grow(used: number): void {
    if (this.#end > this.#limit) throw new Overlong()
    const from = this.#bytes
    const { bytes, view, end } = this.#ownRegion(Math.max(this.#end, Math.min(2 * from.length, this.#limit)))
    if (bytes !== from) bytes.set(from.subarray(this.#start, used), this.#start)
    this.#bytes = bytes
    this.#view = view
    this.#safeEnd = Math.min(end, this.#limit)
  }

  /** Its own buffer, of this size at least. */
  #ownRegion(least: number): Region {
    if (this.#own.end >= least) return this.#own
    const bytes = Buffer.allocUnsafeSlow(Math.max(least, SPARE_BYTES))
    this.#own = { bytes, view: new DataView(bytes.buffer, 0, bytes.length), start: 0, end: bytes.length }
    return this.#own
  }
}

/** Of a text or bytes that are longer than a fixstr. */
function headBytesOf(length: number): number {
  return length < 0x100 ? 2 : length < 0x10000 ? 3 : 5
}

/** Half a pair of surrogates is replaced, as everywhere in Node. */
const REPLACEMENT = 0xfffd

function codePointAt(text: string, index: number): number {
  const code = text.charCodeAt(index)
  if (code < 0xd800 || code > 0xdfff) return code
  const low = text.charCodeAt(index + 1)
  const isPair = code < 0xdc00 && low >= 0xdc00 && low <= 0xdfff
  return isPair ? 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00) : REPLACEMENT
}

function utf8BytesOf(text: string): number {
  let bytes = 0
  for (let index = 0; index < text.length; index++) {
    const code = codePointAt(text, index)
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4
    if (code >= 0x10000) index++
  }
  return bytes
}
