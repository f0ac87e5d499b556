import { types } from 'node:util'
import { describe } from '../model/errors'
import { codeOf, isError, messageOf, textOf } from '../model/thrown'
import { Flaw, Overlong, stepTo } from './flaw'
import { MAX_BIGINT_BYTES } from './msgpack-format'
import { MsgpackWriter } from './msgpack-writer'
import { MAX_DEPTH } from './packed-value'
import type { Region } from './region'
import { RECORD_HEAD_BYTES, type ShapeNode, type ShapeTree } from './shape-tree'

/** Thrown at the first function or symbol: the object around it may have a `toJSON`. */
const PERHAPS_HOOKED = new Error('read it again, and look for toJSON')

/** The fields of an object: `for (key in fields) fields[key]` is the fastest way to read them, not so with `Reflect.get`. */
type Fields = Readonly<Record<string, unknown>>

const hasOwn = Object.prototype.hasOwnProperty
const isKey = Object.prototype.propertyIsEnumerable

/**
 * Writes every value that has a form on the wire, and refuses those that have none. What a getter or `toJSON` answers is
 * checked and written at once. If a function is found, all is read a second time, and the second reading is what is written.
 */
export class PayloadWriter {
  readonly #out = new MsgpackWriter()
  #plainFor: string | undefined
  #hasBigints = false
  /** Objects around the current value. */
  #depth = 0
  /** The Sets among them. As they are copied, one that contains itself must not be written level by level. */
  readonly #copied = new Set<object>()
  /**
   * Is `toJSON` looked for in plain objects too? Not before one had a function or a symbol; but then for the next payload as
   * well, as beginning again takes longer.
   */
  #looksForHooks = false
  #hasHooks = false
  /** Decides which objects become records. Undefined: all are maps. */
  #records: ShapeTree | undefined
  #savedBytes = 0
  /** A stack: where each value of the records that are being written begins. */
  readonly #starts: number[] = []
  /** Where those of the next record begin. */
  #top = 0

  /** What has been written is there from `start` to `end`. */
  get bytes(): Buffer {
    return this.#out.bytes
  }

  get start(): number {
    return this.#out.start
  }

  get end(): number {
    return this.#out.end
  }

  /** Does it hold an integer over 64 bits? */
  get hasBigints(): boolean {
    return this.#hasBigints
  }

  /** How many bytes more it would take without records. 0 if it has none. */
  get savedBytes(): number {
    return this.#savedBytes
  }

  /**
   * @param limit the most bytes to write
   * @param region where to write, as far as it fits there
   * @param records decides which objects become records. Default: none
   * @throws UnserializablePayload, Overlong
   */
  payload(value: unknown, limit: number, region?: Region, records?: ShapeTree): void {
    this.#begin(limit, undefined, region)
    this.#records = records
    try {
      this.#value(value)
    } catch (thrown) {
      if (this.#beginsAgain(thrown)) return this.payload(value, limit, region, records)
    }
    this.#looksForHooks = this.#hasHooks
  }

  /**
   * Writes the elements of a message. Only their payload can be wrong.
   *
   * @param limit the most bytes to write
   * @param plainFor the name of a receiver that takes no integers over 64 bits: they are refused
   * @param region where to write, as far as it fits there
   * @throws UnserializablePayload, Overlong
   */
  message(elements: readonly unknown[], limit: number, plainFor?: string, region?: Region): void {
    this.#begin(limit, plainFor, region)
    this.#out.array(elements.length)
    try {
      for (const element of elements) this.#value(element)
    } catch (thrown) {
      if (this.#beginsAgain(thrown)) return this.message(elements, limit, plainFor, region)
    }
    this.#looksForHooks = this.#hasHooks
  }

  #begin(limit: number, plainFor?: string, region?: Region): void {
    this.#out.begin(limit, region)
    this.#plainFor = plainFor
    this.#hasBigints = this.#hasHooks = false
    this.#depth = this.#top = this.#savedBytes = 0
    this.#records = undefined
  }

  /** @throws UnserializablePayload, Overlong */
  #beginsAgain(thrown: unknown): boolean {
    this.#copied.clear()
    if (thrown === PERHAPS_HOOKED) {
      this.#looksForHooks = true
      return true
    }
    const flaw = Flaw.of(thrown)
    throw flaw instanceof Overlong && !flaw.isCyclic ? flaw : flaw.toError()
  }

  #value(value: unknown): void {
    switch (typeof value) {
      case 'string':
        return this.#out.string(value)
      case 'number':
        return this.#out.number(value)
      case 'boolean':
        return this.#out.boolean(value)
      case 'object':
        return value === null ? this.#out.nil() : this.#object(value)
      case 'undefined':
        return this.#out.undefined()
      case 'bigint':
        return this.#bigint(value)
      default:
        throw this.#looksForHooks ? new Flaw(` is ${describe(value)}`) : PERHAPS_HOOKED
    }
  }

  #object(value: object): void {
    const prototype: unknown = Object.getPrototypeOf(value)
    if (prototype !== Object.prototype && prototype !== Array.prototype) {
      if (types.isUint8Array(value)) return this.#binary(value)
      if (types.isArrayBuffer(value)) return this.#binary(viewOf(value))
      if (types.isDate(value) && !overridesJSON(value)) return this.#date(value)
    }
    if (this.#depth === MAX_DEPTH) throw new Flaw(` is nested deeper than ${MAX_DEPTH} levels`)
    this.#depth++
    if (isPlain(value, prototype)) {
      if (this.#looksForHooks) this.#hookedObject(value)
      else if (this.#records) this.#recurringObject(value, this.#records)
      else this.#plainObject(value)
    } else if (prototype === Array.prototype && Array.isArray(value)) this.#array(value)
    else if (prototype === Map.prototype && types.isMap(value) && !('toJSON' in value)) this.#map(value)
    else this.#contents(value)
    this.#depth--
  }

  #plainObject(object: Fields): void {
    const head = this.#out.beginMap()
    let count = 0
    let key = ''
    try {
      for (key in object) {
        if (!hasOwn.call(object, key)) continue
        count++
        this.#out.key(key)
        this.#value(object[key])
      }
    } catch (thrown) {
      throw within(object, stepTo(key), thrown)
    }
    this.#out.endMap(head, count)
  }

  /** Writes an object as a record if its shape has been told. Begins with the form that objects with this first key mostly had. */
  #recurringObject(object: Fields, records: ShapeTree): void {
    const out = this.#out
    const head = out.end
    const base = this.#top
    let first: ShapeNode | undefined
    let node: ShapeNode | undefined
    let isRecord = false
    let count = 0
    let key = ''
    try {
      for (key in object) {
        if (!hasOwn.call(object, key)) continue
        if (count === 0) {
          node = first = records.first(key)
          isRecord = first?.guessesRecord ?? false
          if (isRecord) out.beginRecord()
          else out.beginMap()
        } else if (node) {
          const next = records.next(node, key)
          if (isRecord && !next?.hasRecords) {
            this.#toMap(head, base, node)
            isRecord = false
          }
          node = next
        }
        if (isRecord) {
          this.#starts[base + count] = out.end
          this.#top = base + count + 1
        } else out.key(key)
        count++
        this.#value(object[key])
      }
    } catch (thrown) {
      throw within(object, stepTo(key), thrown)
    }
    this.#top = base
    if (count === 0) return out.map(0)
    if (isRecord && node?.shape !== undefined) {
      out.endRecord(head, node.shape)
      this.#savedBytes += node.savedBytes
    } else {
      if (isRecord && node) this.#toMap(head, base, node)
      out.endMap(head, count)
      if (node) records.countMap(node)
    }
    first?.noteGuess(node?.shape !== undefined)
  }

  /** Makes a map of what was taken for a record and has had these keys so far. */
  #toMap(head: number, base: number, node: ShapeNode): void {
    const out = this.#out
    const values = out.takeBack(head)
    out.beginMap()
    let start = RECORD_HEAD_BYTES
    for (const [index, key] of node.keys().entries()) {
      const end = index + 1 < node.depth ? (this.#starts[base + index + 1] ?? 0) - head : values.length
      out.key(key)
      out.packed(values.subarray(start, end))
      start = end
    }
  }

  /** The same as `#plainObject`, of an object that may have a `toJSON`, or a reason why it has a function. What is no key is no part of it. */
  #hookedObject(object: object): void {
    const toJSON: unknown = isKey.call(object, 'toJSON') ? Reflect.get(object, 'toJSON') : undefined
    const isHook = typeof toJSON === 'function'
    if (isHook) {
      this.#hasHooks = true
      const json: unknown = toJSON.call(object)
      if (json !== object) return this.#inside(object, '.toJSON()', json)
    }
    // A `toJSON` that returns its own object is a method, not data.
    const keys = Object.keys(object).filter((key) => !isHook || key !== 'toJSON')
    this.#out.map(keys.length)
    for (const key of keys) {
      this.#out.key(key)
      let lack: string | undefined
      try {
        const member: unknown = Reflect.get(object, key)
        if (typeof member === 'function') lack = lackOf(object, false)
        if (lack === undefined) this.#value(member)
      } catch (thrown) {
        throw within(object, stepTo(key), thrown)
      }
      if (lack !== undefined) throw new Flaw(lack)
    }
  }

  /** What any other object consists of. */
  #contents(value: object): void {
    const toJSON: unknown = Reflect.get(value, 'toJSON')
    const isHook = typeof toJSON === 'function'
    if (isHook) {
      const json: unknown = toJSON.call(value)
      if (json !== value) return this.#inside(value, '.toJSON()', json)
    }
    if (isError(value)) return this.#error(value)
    if (Array.isArray(value)) return this.#array(value)
    if (types.isMap(value)) return this.#map(value)
    if (types.isSet(value)) return this.#set(value)
    if (types.isRegExp(value)) return this.#array([value.source, value.flags])
    if (types.isDate(value)) return this.#date(value)
    if (types.isBoxedPrimitive(value)) return this.#value(unboxed(value))
    const keys = Object.keys(value)
    const lack = lackOf(value, keys.length === 0)
    if (lack) throw new Flaw(lack)
    // A `toJSON` that returns its own object is a method, not data.
    this.#keyed(value, isHook ? keys.filter((key) => key !== 'toJSON') : keys)
  }

  #inside(object: object, step: string, value: unknown): void {
    try {
      this.#value(value)
    } catch (thrown) {
      throw within(object, step, thrown)
    }
  }

  /** @param owner the object in the program, if this one has only its parts */
  #keyed(object: object, keys: readonly string[], owner = object): void {
    this.#out.map(keys.length)
    for (const key of keys) {
      this.#out.key(key)
      try {
        this.#value(Reflect.get(object, key))
      } catch (thrown) {
        throw within(owner, stepTo(key), thrown)
      }
    }
  }

  #array(values: readonly unknown[], owner: object = values): void {
    const { length } = values
    // Of a proxy it may be anything.
    if (!Number.isInteger(length) || length < 0) throw new Flaw(` has a length of ${describe(length)}`)
    this.#out.array(length)
    let index = 0
    try {
      for (; index < length; index++) this.#value(values[index])
    } catch (thrown) {
      throw within(owner, `[${index}]`, thrown)
    }
  }

  /** Copies the values first: a getter may add some. */
  #set(set: ReadonlySet<unknown>): void {
    this.#enterCopied(set)
    this.#array([...Set.prototype.values.call(set)], set)
    this.#copied.delete(set)
  }

  /** Maps arrive as objects, so their keys must have a form as strings. */
  #map(map: ReadonlyMap<unknown, unknown>): void {
    const head = this.#out.beginMap()
    let left = sizeOf(map)
    let count = 0
    let isText = true
    for (const [key, value] of Map.prototype.entries.call(map)) {
      // A getter of a value may have added some.
      if (left-- === 0) break
      count++
      if (typeof key !== 'string') isText = false
      this.#key(key)
      try {
        this.#value(value)
      } catch (thrown) {
        throw within(map, `.get(${describe(key)})`, thrown)
      }
    }
    if (!isText) checkTexts([...Map.prototype.keys.call(map)])
    this.#out.endMap(head, count)
  }

  #enterCopied(copied: object): void {
    if (this.#copied.has(copied)) throw new Flaw(' contains itself')
    this.#copied.add(copied)
  }

  #key(key: unknown): void {
    if (typeof key === 'string') this.#out.key(key)
    else if (typeof key === 'bigint' && !isTooLong(key)) this.#out.string(String(key))
    else if (typeof key === 'number' || typeof key === 'boolean') this.#value(key)
    else throw new Flaw(` has a key that is ${describe(key)}; keys must be strings, numbers or booleans`)
  }

  /** Only these: an error's other properties are often sockets and requests. */
  #error(error: Error): void {
    const code = codeIn(error)
    const cause = Reflect.get(error, 'cause')
    const parts = { name: textOf(() => error.name), message: messageOf(error) }
    const withCode = code === undefined ? parts : { ...parts, code }
    const all = cause === undefined ? withCode : { ...withCode, cause }
    this.#keyed(all, Object.keys(all), error)
  }

  #bigint(value: bigint): void {
    if (BigInt.asIntN(64, value) === value || BigInt.asUintN(64, value) === value) return this.#out.bigint(value)
    if (isTooLong(value)) throw new Flaw(` is ${describe(value)}; the longest integers have ${MAX_BIGINT_BYTES} bytes`)
    if (this.#plainFor !== undefined) {
      throw new Flaw(` is ${describe(value)}, and ${this.#plainFor} takes no integers over 64 bits`)
    }
    this.#hasBigints = true
    this.#out.longBigint(value)
  }

  #binary(value: Uint8Array): void {
    if (value.length === 0) viewOf(value.buffer)
    this.#out.binary(value)
  }

  #date(value: Date): void {
    this.#out.timestamp(Date.prototype.getTime.call(value))
  }
}

function isPlain(_: object, prototype: unknown): _ is Fields {
  return prototype === Object.prototype
}

function within(object: object, step: string, thrown: unknown): unknown {
  return thrown === PERHAPS_HOOKED ? thrown : Flaw.within(object, step, thrown)
}

/** Keys arrive as text: of two with the same text, one value would be lost. */
function checkTexts(keys: readonly unknown[]): void {
  const known = new Map<string, unknown>()
  for (const key of keys) {
    const text = String(key)
    if (known.has(text)) {
      const both = `${describe(known.get(text))} and ${describe(key)}`
      throw new Flaw(` has the keys ${both}, which arrive as the same text; make them differ`)
    }
    known.set(text, key)
  }
}

/** A `Map` of another realm has the same size, but not by this prototype's name for it. */
function sizeOf(map: ReadonlyMap<unknown, unknown>): number {
  const size: unknown = Reflect.get(Map.prototype, 'size', map)
  return typeof size === 'number' ? size : 0
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
