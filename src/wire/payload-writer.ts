import { types } from 'node:util'
import { describe, UnserializablePayload } from '../model/errors'
import { asError, codeOf, isError, messageOf, textOf } from '../model/thrown'
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
  FIXSTR,
  FLOAT_64,
  INT_8,
  INT_16,
  INT_32,
  INT_64,
  MAP_16,
  MAX_BIGINT_BYTES,
  NIL,
  STR_8,
  TIMESTAMP,
  TRUE,
  UINT_8,
  UINT_16,
  UINT_32,
  UINT_64,
  UNDEFINED,
} from './msgpack-format'
import { MAX_DEPTH } from './packed-value'

/** Bytes of a buffer that is kept for the next writer. */
const MAX_SPARE = 64 * 1024

/** A longer path is cut: it belongs to a value that is nested too deep. */
const MAX_PATH = 1000

/** The buffer of the last writer, as allocating one takes longer than to write most payloads. */
let spare: Buffer | undefined = Buffer.allocUnsafeSlow(4096)

/** What is wrong with a value inside a payload, and the path to it. */
class Flaw extends Error {
  path = ''

  /** What was thrown while the value behind this step was read or written; `Overlong` as it is. */
  static behind(step: string, thrown: unknown): unknown {
    const error = asError(thrown)
    if (error instanceof Overlong) return error
    const flaw = error instanceof Flaw ? error : new Flaw(`: ${messageOf(error)}`, { cause: thrown })
    flaw.path = step + flaw.path
    return flaw
  }
}

/** The value takes more bytes than allowed. */
export class Overlong extends Error {}

/**
 * Writes every value that has a form on the wire, and refuses those that have none. It reads everything once, so that
 * what a getter or `toJSON` answers is both checked and written. msgpackr is faster, but knows only the usual prototypes.
 */
export class PayloadWriter {
  /** Has there been an object that is neither plain nor an array, or an integer over 64 bits? */
  isUnusual = false
  /** Has there been an integer over 64 bits? */
  hasBigints = false
  readonly #limit: number
  readonly #plainFor: string | undefined
  #bytes: Buffer
  #end = 0
  /** The objects around the current value. */
  readonly #around = new Set<object>()

  /**
   * @param limit the most bytes to write
   * @param plainFor the name of a receiver that takes no integers over 64 bits: they are refused
   */
  constructor(limit: number, plainFor?: string) {
    this.#limit = limit
    this.#plainFor = plainFor
    this.#bytes = spare ?? Buffer.allocUnsafeSlow(4096)
    // A getter may send another payload meanwhile.
    spare = undefined
  }

  /** What has been written is at the beginning, up to `end`. */
  get bytes(): Buffer {
    return this.#bytes
  }

  get end(): number {
    return this.#end
  }

  /** Lets the next writer overwrite the bytes. */
  release(): void {
    if (this.#bytes.length <= MAX_SPARE) spare = this.#bytes
  }

  /** @throws UnserializablePayload, Overlong */
  payload(value: unknown): void {
    try {
      this.#value(value)
    } catch (thrown) {
      const flaw = Flaw.behind('payload', thrown)
      throw flaw instanceof Flaw ? unserializable(flaw) : flaw
    }
  }

  /** Writes the elements of a message. Only their payload can be wrong. @throws UnserializablePayload, Overlong */
  message(elements: readonly unknown[]): void {
    this.#count(FIXARRAY, ARRAY_16, elements.length)
    for (const element of elements) this.payload(element)
  }

  #value(value: unknown): void {
    switch (typeof value) {
      case 'string':
        return this.#string(value)
      case 'number':
        return this.#number(value)
      case 'boolean':
        return this.#byte(value ? TRUE : FALSE)
      case 'bigint':
        return this.#bigint(value)
      case 'undefined':
        return this.#append(Buffer.of(FIXEXT_1, UNDEFINED, 0))
      case 'object':
        return value === null ? this.#byte(NIL) : this.#object(value)
      default:
        throw new Flaw(` is ${describe(value)}`)
    }
  }

  #object(value: object): void {
    if (types.isUint8Array(value)) return this.#binary(value)
    if (types.isArrayBuffer(value)) return this.#binary(viewOf(value))
    if (types.isDate(value) && !overridesJSON(value)) return this.#date(value)
    if (this.#around.has(value)) throw new Flaw(' contains itself')
    if (this.#around.size >= MAX_DEPTH) throw new Flaw(` is nested deeper than ${MAX_DEPTH} levels`)
    this.#around.add(value)
    this.#contents(value)
    this.#around.delete(value)
  }

  #contents(value: object): void {
    const prototype: unknown = Object.getPrototypeOf(value)
    if (prototype !== Object.prototype && prototype !== Array.prototype) this.isUnusual = true
    const toJSON: unknown = Reflect.get(value, 'toJSON')
    const isHook = typeof toJSON === 'function'
    if (isHook) {
      const json: unknown = toJSON.call(value)
      if (json !== value) return this.#inside('.toJSON()', json)
    }
    if (isError(value)) return this.#error(value)
    if (Array.isArray(value)) return this.#array(value)
    if (types.isMap(value)) return this.#map(value)
    if (types.isSet(value)) return this.#array([...Set.prototype.values.call(value)])
    if (types.isRegExp(value)) return this.#array([value.source, value.flags])
    if (types.isDate(value)) return this.#date(value)
    if (types.isBoxedPrimitive(value)) return this.#value(unboxed(value))
    const keys = Object.keys(value)
    const lack = lackOf(value, keys.length === 0)
    if (lack) throw new Flaw(lack)
    // A `toJSON` that returns its own object is a method, not data.
    this.#record(value, isHook ? keys.filter((key) => key !== 'toJSON') : keys)
  }

  #inside(step: string, value: unknown): void {
    try {
      this.#value(value)
    } catch (thrown) {
      throw Flaw.behind(step, thrown)
    }
  }

  #record(value: object, keys: readonly string[]): void {
    this.#count(FIXMAP, MAP_16, keys.length)
    for (const key of keys) {
      this.#string(key)
      try {
        this.#value(Reflect.get(value, key))
      } catch (thrown) {
        throw Flaw.behind(stepTo(key), thrown)
      }
    }
  }

  #array(values: readonly unknown[]): void {
    const { length } = values
    this.#count(FIXARRAY, ARRAY_16, length)
    for (let index = 0; index < length; index++) {
      try {
        this.#value(values[index])
      } catch (thrown) {
        throw Flaw.behind(`[${index}]`, thrown)
      }
    }
  }

  /** Copies the entries first: a getter may add some. Maps arrive as objects, so their keys must have a form as strings. */
  #map(map: ReadonlyMap<unknown, unknown>): void {
    const entries = [...Map.prototype.entries.call(map)]
    this.#count(FIXMAP, MAP_16, entries.length)
    let isText = true
    for (const [key, value] of entries) {
      if (typeof key !== 'string') isText = false
      this.#key(key)
      try {
        this.#value(value)
      } catch (thrown) {
        throw Flaw.behind(`.get(${describe(key)})`, thrown)
      }
    }
    if (!isText) checkTexts(entries)
  }

  #key(key: unknown): void {
    if (typeof key === 'bigint' && !isTooLong(key)) this.#string(String(key))
    else if (typeof key === 'string' || typeof key === 'number' || typeof key === 'boolean') this.#value(key)
    else throw new Flaw(` has a key that is ${describe(key)}; keys must be strings, numbers or booleans`)
  }

  /** Only these: an error's other properties are often sockets and requests. */
  #error(error: Error): void {
    const code = codeIn(error)
    const cause = Reflect.get(error, 'cause')
    const parts = { name: textOf(() => error.name), message: messageOf(error) }
    const withCode = code === undefined ? parts : { ...parts, code }
    const all = cause === undefined ? withCode : { ...withCode, cause }
    this.#record(all, Object.keys(all))
  }

  /** In the same formats as msgpackr. */
  #number(value: number): void {
    if (value >>> 0 === value) {
      if (value < 0x80) this.#byte(value)
      else if (value < 0x100) this.#uint(UINT_8, value, 1)
      else if (value < 0x10000) this.#uint(UINT_16, value, 2)
      else this.#uint(UINT_32, value, 4)
    } else if (value >> 0 === value) {
      if (value >= -0x20) this.#byte(0x100 + value)
      else if (value >= -0x80) this.#uint(INT_8, value + 0x100, 1)
      else if (value >= -0x8000) this.#uint(INT_16, value + 0x10000, 2)
      else this.#uint(INT_32, value >>> 0, 4)
    } else {
      this.#byte(FLOAT_64)
      const at = this.#room(8)
      this.#bytes.writeDoubleBE(value, at)
    }
  }

  #bigint(value: bigint): void {
    const isSigned = BigInt.asIntN(64, value) === value
    if (!isSigned && BigInt.asUintN(64, value) !== value) return this.#longBigint(value)
    this.#byte(isSigned ? INT_64 : UINT_64)
    const at = this.#room(8)
    this.#bytes.writeBigUInt64BE(BigInt.asUintN(64, value), at)
  }

  /** Two's complement, in as few bytes as have room for its sign. */
  #longBigint(value: bigint): void {
    if (isTooLong(value)) throw new Flaw(` is ${describe(value)}; the longest integers have ${MAX_BIGINT_BYTES} bytes`)
    if (this.#plainFor !== undefined) {
      throw new Flaw(` is ${describe(value)}, and ${this.#plainFor} takes no integers over 64 bits`)
    }
    this.hasBigints = this.isUnusual = true
    const least = Math.ceil((value < 0n ? ~value : value).toString(16).length / 2)
    const length = BigInt.asIntN(8 * least, value) === value ? least : least + 1
    if (length === 16) this.#byte(FIXEXT_16)
    else this.#length(EXT_8, length)
    this.#byte(BIGINT)
    const digits = BigInt.asUintN(8 * length, value).toString(16)
    const at = this.#room(length)
    this.#bytes.write(digits.padStart(2 * length, '0'), at, 'hex')
  }

  #string(value: string): void {
    if (value.length > this.#limit) throw new Overlong()
    const length = Buffer.byteLength(value)
    if (length < 0x20) this.#byte(FIXSTR | length)
    else this.#length(STR_8, length)
    const at = this.#room(length)
    this.#bytes.write(value, at)
  }

  #binary(value: Uint8Array): void {
    if (value.length === 0) viewOf(value.buffer)
    this.#length(BIN_8, value.length)
    this.#append(value)
  }

  /** In the same formats as msgpackr. */
  #date(value: Date): void {
    const time = Date.prototype.getTime.call(value)
    const seconds = Math.floor(time / 1000)
    const nanoseconds = (time - seconds * 1000) * 1_000_000
    const isShort = time >= 0 && seconds < 0x100000000
    if (Number.isNaN(time)) {
      this.#append(Buffer.of(FIXEXT_1, TIMESTAMP, 0xff))
    } else if (isShort && nanoseconds === 0) {
      this.#byte(FIXEXT_4)
      this.#uint(TIMESTAMP, seconds, 4)
    } else if (isShort) {
      this.#byte(FIXEXT_8)
      this.#uint(TIMESTAMP, nanoseconds * 4, 4)
      const at = this.#room(4)
      this.#bytes.writeUInt32BE(seconds, at)
    } else {
      this.#append(Buffer.of(EXT_8, 12))
      this.#uint(TIMESTAMP, nanoseconds, 4)
      const at = this.#room(8)
      this.#bytes.writeBigInt64BE(BigInt(seconds), at)
    }
  }

  /** The head of an array or a map. Each element takes a byte at least. */
  #count(short: number, format16: number, count: number): void {
    if (this.#end + count > this.#limit) throw new Overlong()
    if (count < 0x10) this.#byte(short | count)
    else if (count < 0x10000) this.#uint(format16, count, 2)
    else this.#uint(format16 + 1, count, 4)
  }

  /** The head of a string, of bytes, or of an extension. */
  #length(format8: number, length: number): void {
    if (length < 0x100) this.#uint(format8, length, 1)
    else if (length < 0x10000) this.#uint(format8 + 1, length, 2)
    else this.#uint(format8 + 2, length, 4)
  }

  #byte(byte: number): void {
    const at = this.#room(1)
    this.#bytes[at] = byte
  }

  /** A first byte, and a number of 1 to 4 bytes. */
  #uint(head: number, value: number, bytes: number): void {
    this.#byte(head)
    const at = this.#room(bytes)
    this.#bytes.writeUIntBE(value, at, bytes)
  }

  #append(bytes: Uint8Array): void {
    const at = this.#room(bytes.length)
    this.#bytes.set(bytes, at)
  }

  /** Makes room for bytes, perhaps in a larger buffer. Returns their place. */
  #room(bytes: number): number {
    const at = this.#end
    this.#end += bytes
    if (this.#end > this.#limit) throw new Overlong()
    if (this.#end > this.#bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(this.#end, Math.min(2 * this.#bytes.length, this.#limit)))
      larger.set(this.#bytes.subarray(0, at))
      this.#bytes = larger
    }
    return at
  }
}

/** Keys arrive as text: of two with the same text, one value would be lost. */
function checkTexts(entries: readonly (readonly [unknown, unknown])[]): void {
  const keys = new Map<string, unknown>()
  for (const [key] of entries) {
    const text = String(key)
    if (keys.has(text)) {
      const both = `${describe(keys.get(text))} and ${describe(key)}`
      throw new Flaw(` has the keys ${both}, which arrive as the same text; make them differ`)
    }
    keys.set(text, key)
  }
}

function isTooLong(value: bigint): boolean {
  return BigInt.asIntN(8 * MAX_BIGINT_BYTES, value) !== value
}

/** Only a view of the whole buffer can tell: detached bytes are empty like others. */
function viewOf(buffer: ArrayBufferLike): Uint8Array {
  try {
    return new Uint8Array(buffer)
  } catch (cause) {
    throw new Flaw(' is detached: its memory was transferred', { cause })
  }
}

/** Does it have another `toJSON` than all dates? A date of another realm is taken as a date. */
function overridesJSON(date: Date): boolean {
  return date instanceof Date && date.toJSON !== Date.prototype.toJSON
}

/** The primitive inside an object such as `new Number(1)`. */
function unboxed(value: object): unknown {
  if (types.isNumberObject(value)) return Number.prototype.valueOf.call(value)
  if (types.isStringObject(value)) return String.prototype.valueOf.call(value)
  if (types.isBooleanObject(value)) return Boolean.prototype.valueOf.call(value)
  return types.isBigIntObject(value) ? BigInt.prototype.valueOf.call(value) : Symbol.prototype.valueOf.call(value)
}

/** The reason why an object can't be sent: its keys aren't what it consists of. */
function lackOf(value: object, isEmpty: boolean): string | undefined {
  const has = (key: PropertyKey) => typeof Reflect.get(value, key) === 'function'
  if (has('then')) return ' is a promise; await it'
  if (has('next') && (has(Symbol.iterator) || has(Symbol.asyncIterator))) return ' is an iterator; send its values'
  if (ArrayBuffer.isView(value)) return ` is ${describe(value)}; send its bytes as a Uint8Array`
  const isOpaque = types.isWeakMap(value) || types.isWeakSet(value) || types.isSharedArrayBuffer(value)
  const isResource = has(Symbol.dispose) || has(Symbol.asyncDispose)
  // Objects of Node and of the language, such as a WeakRef.
  const isBuiltIn = isEmpty && Symbol.toStringTag in value && !Object.hasOwn(value, Symbol.toStringTag)
  return isOpaque || isResource || isBuiltIn ? ` is ${describe(value)}, which has no form on the wire` : undefined
}

function codeIn(error: Error): string | number | undefined {
  try {
    const code = codeOf(error)
    return typeof code === 'string' || typeof code === 'number' ? code : undefined
  } catch {
    return undefined
  }
}

function stepTo(key: string): string {
  return /^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`
}

function unserializable({ path, message, cause }: Flaw): UnserializablePayload {
  const shown = path.length > MAX_PATH ? `${path.slice(0, 80)}…` : path
  const options = cause === undefined ? undefined : { cause }
  return new UnserializablePayload(`the payload can't be sent: ${shown}${message}`, options)
}
