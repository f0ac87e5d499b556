import { addExtension, Packr } from 'msgpackr/index-no-eval'
import { FIXMAP, FIXMAP_KEYS, MAP_16 } from './msgpack-format'
import { isDeeper, MAX_DEPTH } from './packed-value'
import { Overlong, PayloadWriter } from './payload-writer'

/** Options of msgpackr: pack to the start of its scratch buffer and return that buffer, as the frame is copied anyway. */
const LEND_SCRATCH = 512 | 1024

/** The operating system allocates only the pages that are used. */
const SCRATCH_BYTES = 256 * 1024

/** A value that is larger than its limit by no more than this is measured. */
const MEASURED_BYTES = 4096

const EMPTY = Buffer.alloc(0)

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
  /** Whether it holds an integer over 64 bits. */
  readonly hasBigints?: boolean
}

/** Thrown through msgpackr to fall back to `PayloadWriter`. */
const GIVEN_UP = new Error('only PayloadWriter can pack this')

/** Packs values with msgpackr, one at a time, as it has one scratch buffer. */
class Packer {
  /** Did the last value hold what msgpackr can't pack? Then the next one may too: giving up takes longer than packing. */
  wasUnusual = false
  #isPacking = false
  #limit = 0
  /** The scratch buffer of msgpackr, unless other code may have it. */
  #scratch: Buffer | undefined

  get isPacking(): boolean {
    return this.#isPacking
  }

  /**
   * Returns undefined if the value may be wrong or too large, or can't be packed by msgpackr.
   *
   * @param levels how deep it may be nested
   */
  pack(packr: Packr, value: unknown, limit: number, levels: number): Packed | undefined {
    // Or a getter of the value that is being packed sends another one.
    if (this.wasUnusual || this.#isPacking) return undefined
    this.#limit = limit
    if (!this.#scratch) {
      this.#scratch = this.#watched(Buffer.allocUnsafeSlow(SCRATCH_BYTES))
      packr.useBuffer(this.#scratch)
    }
    const bytes = this.#packToScratch(packr, value)
    if (!bytes) return undefined
    const { start = 0, end = bytes.length, dataView: view = viewOf(bytes) } = bytes
    // The result outgrew the scratch buffer, or other code packed with the same msgpackr before.
    if (bytes !== this.#scratch || start > 0) this.#scratch = undefined
    // A short value isn't deep.
    if (end - start > MAX_DEPTH && isDeeper(levels, bytes, start)) return undefined
    return { bytes, view, start: shortened(bytes, start), end }
  }

  #packToScratch(packr: Packr, value: unknown): Scratch | undefined {
    this.#isPacking = true
    try {
      return packr.pack(value, LEND_SCRATCH)
    } catch (error) {
      if (error !== GIVEN_UP) this.#scratch = undefined
      return undefined
    } finally {
      this.#isPacking = false
    }
  }

  /** msgpackr copies a full buffer to a larger one. It gives up there if the value is too large, or may contain itself. */
  #watched<Bytes extends Uint8Array>(buffer: Bytes): Bytes {
    const grow = (place: Parameters<Buffer['copy']>) => {
      if (buffer.length >= this.#limit) {
        // msgpackr has got ready for the larger buffer already.
        this.#scratch = undefined
        throw GIVEN_UP
      }
      this.#watched(place[0])
    }
    return Object.defineProperty(buffer, 'copy', {
      value(this: Buffer, ...place: Parameters<Buffer['copy']>): number {
        grow(place)
        return Buffer.prototype.copy.apply(this, place)
      },
    })
  }
}

/** Turns a map16 at `start` with few keys into a fixmap. Returns its new start. */
function shortened(bytes: Buffer, start: number): number {
  const keys = bytes[start + 2] ?? 0
  if (bytes[start] !== MAP_16 || bytes[start + 1] !== 0 || keys > FIXMAP_KEYS) return start
  bytes[start + 2] = FIXMAP | keys
  return start + 2
}

function viewOf({ buffer, byteOffset, length }: Buffer): DataView {
  return new DataView(buffer, byteOffset, length)
}

const packer = new Packer()

class WatchfulPackr extends Packr {
  constructor(variableMapSize: boolean) {
    super({
      useRecords: refuseUnusual,
      variableMapSize,
      structuredClone: false,
      moreTypes: false,
      // By default, msgpackr writes a function as `undefined`.
      writeFunction(): never {
        throw GIVEN_UP
      },
    })
    // msgpackr has taken the function: from now on the options say what it would say.
    Object.assign(this, { useRecords: false, structures: undefined })
  }

  /** An option that msgpackr reads for each `Map`. */
  get mapAsEmptyObject(): never {
    throw GIVEN_UP
  }

  /** And one that it reads for each integer over 64 bits. */
  get largeBigIntToFloat(): never {
    throw GIVEN_UP
  }
}

/** Writes every object as a map16, which is faster, as its keys needn't be counted first. */
const fastest = new WatchfulPackr(false)

/** Writes every map in its shortest format. */
const shortest = new WatchfulPackr(true)

/** msgpackr calls `instanceof` with this class for everything but plain objects, arrays and maps. */
const Unusual = Object.defineProperty(() => {}, Symbol.hasInstance, { value: refuseUnknown })
addExtension({ Class: Unusual, write: (value: unknown) => value })

/** In some realms, such as jest's, Node's buffers are no instances of `Uint8Array`, and msgpackr would not know them. */
const bufferPrototype = Buffer.prototype instanceof Uint8Array ? Buffer.prototype : undefined

/** Called for each object that msgpackr writes by its keys. The iterator of an array, too, has the constructor `Object`. */
function refuseUnusual(value: object): false {
  if (Object.getPrototypeOf(value) === Object.prototype) return false
  throw GIVEN_UP
}

/** msgpackr knows bytes and dates. Empty bytes may be detached. */
function refuseUnknown(value: unknown): false {
  // Other code may use the same build of msgpackr.
  if (!packer.isPacking) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === Date.prototype) return false
  if (prototype !== bufferPrototype && prototype !== Uint8Array.prototype) throw GIVEN_UP
  if (ArrayBuffer.isView(value) && value.byteLength > 0) return false
  throw GIVEN_UP
}

/**
 * Packs the payload of an event.
 *
 * @param limit bytes above which the result may have an infinite size, and no bytes
 * @throws UnserializablePayload
 */
export function pack(payload: unknown, limit: number): Packed {
  return packer.pack(fastest, payload, limit, MAX_DEPTH) ?? write(limit, (writer) => writer.payload(payload))
}

/**
 * Packs a message, whose last element may come from the program.
 *
 * @param limit bytes above which the result may have an infinite size, and no bytes
 * @param plainFor the name of a receiver that takes no integers over 64 bits
 * @throws UnserializablePayload
 */
export function packMessage(elements: readonly unknown[], limit: number, plainFor?: string): Packed {
  const packed = packer.pack(shortest, elements, limit, MAX_DEPTH + 1)
  return packed ?? write(limit, (writer) => writer.message(elements), plainFor)
}

function write(limit: number, content: (writer: PayloadWriter) => void, plainFor?: string): Packed {
  const writer = new PayloadWriter(limit + MEASURED_BYTES, plainFor)
  try {
    content(writer)
  } catch (error) {
    if (!(error instanceof Overlong)) throw error
    return { bytes: EMPTY, view: viewOf(EMPTY), start: 0, end: Number.POSITIVE_INFINITY }
  } finally {
    writer.release()
  }
  const { bytes, end, hasBigints } = writer
  packer.wasUnusual = writer.isUnusual
  const packed = { bytes, view: viewOf(bytes), start: 0, end }
  // Only then another shape, so that all others are read as fast as ever.
  return hasBigints ? { ...packed, hasBigints } : packed
}

/** The size of a packed value for people, which is infinite if it was given up. */
export function measured(bytes: number, limit: number): string {
  return Number.isFinite(bytes) ? `${bytes} bytes` : `over ${limit} bytes`
}
