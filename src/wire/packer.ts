import { addExtension, Packr } from 'msgpackr/index-no-eval'
import { asError, UnserializablePayload } from '../model/errors'
import { FIXMAP, FIXMAP_KEYS, MAP_16 } from './msgpack-format'
import { findFlaw, MAX_DEPTH } from './payload-check'

/** Options of msgpackr: pack to the start of its scratch buffer and return that buffer, as the frame is copied anyway. */
const LEND_SCRATCH = 512 | 1024

/** The operating system allocates only the pages that are used. */
const SCRATCH_BYTES = 256 * 1024

/** The scratch buffer as msgpackr returns it, with the range of the result. */
interface Scratch extends Buffer {
  readonly start?: number
  readonly end?: number
  readonly dataView?: DataView
}

/** A packed value. The next call overwrites it. */
export interface Packed {
  readonly bytes: Buffer
  /** Of all of `bytes`. */
  readonly view: DataView
  readonly start: number
  readonly end: number
}

/** Packs one value at a time, as msgpackr has one scratch buffer. */
class Packer {
  /** Number of payloads being packed: a getter or `toJSON` of one may broadcast another. */
  #packing = 0
  /** Number of packed payloads being checked, which calls their getters too, before the scratch buffer is copied. */
  #looking = 0
  /** The payload being packed. */
  #suspect: unknown
  /** Does the payload contain anything but JSON values? */
  #isUnusual = false
  /** Does it contain an object of which `fastest` would pack other keys than its own? */
  #isMisread = false
  /** The scratch buffer of msgpackr, unless other code may have it. */
  #scratch: Buffer | undefined

  /** @param payload the part of the value to check */
  pack(packr: Packr, value: unknown, payload: unknown): Packed {
    const outer = this.#suspect
    this.#suspect = payload
    try {
      return this.#lend(packr, value)
    } catch (error) {
      this.#scratch = undefined
      if (error instanceof UnserializablePayload) throw error
      return this.#retry(value, error)
    } finally {
      this.#suspect = outer
    }
  }

  /** Called for each value that isn't a JSON value. */
  noteUnusual(value: unknown): void {
    this.#isUnusual = true
    if (showsOtherKeys(value)) this.#isMisread = true
  }

  #lend(packr: Packr, value: unknown): Packed {
    this.#begin(packr)
    const bytes = this.#packToScratch(packr, value)
    if (this.#isMisread && packr === fastest) return this.#lend(shortest, value)
    const { start = 0, end = bytes.length, dataView: view = viewOf(bytes) } = bytes
    // The result outgrew the scratch buffer, or other code packed with the same msgpackr before.
    if (bytes !== this.#scratch || start > 0) this.#scratch = undefined
    // A short payload isn't deep, so most payloads need no check.
    if (this.#isUnusual || end - start > MAX_DEPTH) this.#assertFlawless()
    return { bytes, view, start: shortened(bytes, start), end }
  }

  #begin(packr: Packr): void {
    if (this.#packing > 0) return // msgpackr itself handles nested calls.
    if (this.#looking > 0) {
      // Otherwise the packed payload would be overwritten.
      this.#scratch = undefined
      packr.useBuffer(Buffer.allocUnsafeSlow(8192))
      return
    }
    this.#isUnusual = this.#isMisread = false
    if (this.#scratch) return
    this.#scratch = this.#newScratch()
    packr.useBuffer(this.#scratch)
  }

  /** msgpackr copies a full scratch buffer to a larger one. Checking then stops a payload that contains itself. */
  #newScratch(): Buffer {
    const assertFlawless = () => this.#assertFlawless()
    return Object.defineProperty(Buffer.allocUnsafeSlow(SCRATCH_BYTES), 'copy', {
      value(this: Buffer, ...place: Parameters<Buffer['copy']>): number {
        assertFlawless()
        return Buffer.prototype.copy.apply(this, place)
      },
    })
  }

  #packToScratch(packr: Packr, value: unknown): Scratch {
    this.#packing++
    try {
      return packr.pack(value, LEND_SCRATCH)
    } finally {
      this.#packing--
    }
  }

  /** After a failure: throws an error with the path to the flaw, or packs again with `shortest` if there is none. */
  #retry(value: unknown, cause: unknown): Packed {
    let reason = asError(cause).message
    try {
      const flaw = findFlaw(this.#suspect)
      if (!flaw) return this.#lend(shortest, value)
      reason = flaw
    } catch {
      // The first error says more.
    }
    this.#scratch = undefined
    throw unserializable(reason, cause)
  }

  #assertFlawless(): void {
    this.#looking++
    try {
      const flaw = findFlaw(this.#suspect)
      if (flaw) throw unserializable(flaw)
    } finally {
      this.#looking--
    }
  }
}

/** Turns a map16 at `start` with few keys into a fixmap. Returns its new start. */
function shortened(bytes: Buffer, start: number): number {
  const keys = bytes[start + 2] ?? 0
  if (bytes[start] !== MAP_16 || bytes[start + 1] !== 0 || keys > FIXMAP_KEYS) return start
  bytes[start + 2] = FIXMAP | keys
  return start + 2
}

/** `fastest` calls the object's own `hasOwnProperty`, or takes inherited keys if there is none. */
function showsOtherKeys(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const { hasOwnProperty: ask } = value
  if (ask === Object.prototype.hasOwnProperty) return false
  return typeof ask === 'function' || Object.getPrototypeOf(value) !== null
}

function unserializable(flaw: string, cause?: unknown): UnserializablePayload {
  const message = `the payload can't be sent: ${flaw}`
  return new UnserializablePayload(message, cause === undefined ? undefined : { cause })
}

function viewOf({ buffer, byteOffset, length }: Buffer): DataView {
  return new DataView(buffer, byteOffset, length)
}

const packer = new Packer()

class WatchfulPackr extends Packr {
  constructor(variableMapSize: boolean) {
    super({
      useRecords: false,
      variableMapSize,
      structuredClone: false,
      moreTypes: false,
      // By default, msgpackr writes a function as `undefined`.
      writeFunction(): never {
        throw new TypeError('it contains a function')
      },
    })
  }

  /** An option that msgpackr reads for each `Map`. */
  get mapAsEmptyObject(): boolean {
    return noteUnusual(undefined)
  }
}

/** Writes every object as a map16, which is faster, as its keys needn't be counted first. */
const fastest = new WatchfulPackr(false)

/** Writes every map in its shortest format. Required for objects of more than 65,535 keys. */
const shortest = new WatchfulPackr(true)

/** msgpackr calls `instanceof` with this class for everything but plain objects, arrays and maps. */
const Unusual = Object.defineProperty(() => {}, Symbol.hasInstance, { value: noteUnusual })
addExtension({ Class: Unusual, write: (value: unknown) => value })

function noteUnusual(value: unknown): false {
  packer.noteUnusual(value)
  return false
}

/**
 * Packs the payload of an event.
 *
 * @throws UnserializablePayload
 */
export function pack(payload: unknown): Packed {
  return packer.pack(fastest, payload, payload)
}

/**
 * Packs a message.
 *
 * @param payload the part that comes from the program, to be checked
 * @throws UnserializablePayload
 */
export function packMessage(elements: readonly unknown[], payload: unknown): Packed {
  return packer.pack(shortest, elements, payload)
}
