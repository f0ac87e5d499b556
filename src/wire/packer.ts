import { addExtension, Packr } from 'msgpackr/index-no-eval'
import { asError, UnserializablePayload } from '../model/errors'
import { FIXMAP, FIXMAP_KEYS, MAP_16 } from './msgpack-format'
import { findFlaw, MAX_DEPTH } from './payload-check'

/** Pack to the start of msgpackr's scratch buffer and lend it out, instead of allocating: the frame is copied anyway. */
const LEND_SCRATCH = 512 | 1024

/** Memory is only taken for what of this has been used. */
const SCRATCH_BYTES = 256 * 1024

/** What msgpackr lends out: the whole scratch buffer, and where in it the result lies. */
interface Scratch extends Buffer {
  readonly start?: number
  readonly end?: number
  readonly dataView?: DataView
}

/** What is packed, only lent: the next call writes over it. */
export interface Packed {
  readonly bytes: Buffer
  /** Of all those bytes. */
  readonly view: DataView
  readonly start: number
  readonly end: number
}

/** Packs one value at a time, as msgpackr has one place for all of them to be packed to. */
class Packer {
  /** Payloads that msgpackr is packing: a getter or `toJSON` of one may broadcast another. */
  #packing = 0
  /** Payloads that are packed and looked at, which calls their getters too, while what was packed is only lent. */
  #looking = 0
  /** What may be flawed in what is being packed. */
  #suspect: unknown
  /** Has anything been packed since the beginning that is none of JSON's values? */
  #isUnusual = false
  /** And anything of which msgpackr takes other keys than its own where it doesn't count them first? */
  #isMisread = false
  /** Where msgpackr packs to, if that is nobody else's. */
  #scratch: Buffer | undefined

  /** @param payload what in the value may be flawed */
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

  /** Something is packed that is none of JSON's values. */
  noteUnusual(value: unknown): void {
    this.#isUnusual = true
    if (showsOtherKeys(value)) this.#isMisread = true
  }

  #lend(packr: Packr, value: unknown): Packed {
    this.#begin(packr)
    const bytes = this.#packToScratch(packr, value)
    if (this.#isMisread && packr === fastest) return this.#lend(shortest, value)
    const { start = 0, end = bytes.length, dataView: view = viewOf(bytes) } = bytes
    // Elsewhere it is where it has outgrown the scratch, or where somebody else has used msgpackr and got the place before.
    if (bytes !== this.#scratch || start > 0) this.#scratch = undefined
    // What is short is not deep, so that most payloads need no look at all that they hold.
    if (this.#isUnusual || end - start > MAX_DEPTH) this.#assertFlawless()
    return { bytes, view, start: shortened(bytes, start), end }
  }

  #begin(packr: Packr): void {
    if (this.#packing > 0) return // msgpackr takes care itself of what it is packing.
    if (this.#looking > 0) {
      // Otherwise what has been lent would be written over.
      this.#scratch = undefined
      packr.useBuffer(Buffer.allocUnsafeSlow(8192))
      return
    }
    this.#isUnusual = this.#isMisread = false
    if (this.#scratch) return
    this.#scratch = this.#newScratch()
    packr.useBuffer(this.#scratch)
  }

  /** msgpackr copies what it has to a larger buffer where one does not do; a payload that holds itself would need more forever. */
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

  /** Packs what could not be packed once more, unless something is wrong with it: then that is said, with its place. */
  #retry(value: unknown, cause: unknown): Packed {
    let reason = asError(cause).message
    try {
      const flaw = findFlaw(this.#suspect)
      if (!flaw) return this.#lend(shortest, value)
      reason = flaw
    } catch {
      // What came first says more.
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

/** Gives a map of the middle size that begins there its shortest form, if it has so few keys: it begins later then. */
function shortened(bytes: Buffer, start: number): number {
  const keys = bytes[start + 2] ?? 0
  if (bytes[start] !== MAP_16 || bytes[start + 1] !== 0 || keys > FIXMAP_KEYS) return start
  bytes[start + 2] = FIXMAP | keys
  return start + 2
}

/** Where it doesn't count keys first, msgpackr asks the object which are its own, or takes all where it can't ask. */
function showsOtherKeys(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const { hasOwnProperty: ask } = value
  if (ask === Object.prototype.hasOwnProperty) return false
  return typeof ask === 'function' || Object.getPrototypeOf(value) !== null
}

function unserializable(flaw: string, cause?: unknown): UnserializablePayload {
  const message = `expected a payload that msgpack can carry, but ${flaw}`
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
      // Left to itself msgpackr writes a function as `undefined`: a payload that is not the one that was sent.
      writeFunction(): never {
        throw new TypeError('it holds a function')
      },
    })
  }

  /** An option of msgpackr's, of which it makes sure for each `Map`. */
  get mapAsEmptyObject(): boolean {
    return noteUnusual(undefined)
  }
}

/** Writes objects as maps of the middle size, as their keys need not be counted before: that is faster. */
const fastest = new WatchfulPackr(false)

/** Writes any map in its shortest form. Only this one can write an object of over 65,535 keys. */
const shortest = new WatchfulPackr(true)

/** msgpackr asks of all that is neither a plain object nor an array nor a `Map` whether it is an instance of this. */
const Unusual = Object.defineProperty(() => {}, Symbol.hasInstance, { value: noteUnusual })
addExtension({ Class: Unusual, write: (value: unknown) => value })

function noteUnusual(value: unknown): false {
  packer.noteUnusual(value)
  return false
}

/**
 * Packs a payload of an event.
 *
 * @throws UnserializablePayload
 */
export function pack(payload: unknown): Packed {
  return packer.pack(fastest, payload, payload)
}

/**
 * Packs a message.
 *
 * @param payload what in it comes from a program and may be flawed
 * @throws UnserializablePayload
 */
export function packMessage(elements: readonly unknown[], payload: unknown): Packed {
  return packer.pack(shortest, elements, payload)
}
