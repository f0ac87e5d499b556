import { addExtension, Packr } from 'msgpackr/index-no-eval'
import { asError, UnserializablePayload } from './errors'
import { findFlaw, MAX_DEPTH } from './payload'

/** Pack to the start of msgpackr's scratch buffer and lend it out, instead of allocating: the frame is copied anyway. */
const LEND_SCRATCH = 512 | 1024

/** Memory is only taken for what of this has been used. */
const SCRATCH_BYTES = 256 * 1024

/** What msgpackr lends out: the whole scratch buffer, and where in it the result lies. */
interface Scratch extends Buffer {
  readonly start?: number
  readonly end?: number
}

/** Has anything been packed since this was reset that is none of JSON's values? */
let isUnusual = false

/** msgpackr asks of all that is neither a plain object nor an array nor a `Map` whether it is an instance of this. */
const Unusual = Object.defineProperty(() => {}, Symbol.hasInstance, { value: noteUnusual })
addExtension({ Class: Unusual, write: (value: unknown) => value })

class WatchfulPackr extends Packr {
  /** An option of msgpackr's, of which it makes sure for each `Map`. */
  get mapAsEmptyObject(): boolean {
    return noteUnusual()
  }
}

function noteUnusual(): false {
  isUnusual = true
  return false
}

const packr = new WatchfulPackr({
  useRecords: false,
  variableMapSize: true,
  structuredClone: false,
  moreTypes: false,
  // Left to itself msgpackr writes a function as `undefined`: a payload that is not the one that was sent.
  writeFunction(): never {
    throw new TypeError('it holds a function')
  },
})

/** Payloads that msgpackr is packing: a getter or `toJSON` of one may broadcast another. */
let packing = 0

/** Payloads that are packed and looked at, which calls their getters too, while what was packed is only lent. */
let looking = 0

/** What may be flawed in what is being packed. */
let suspect: unknown

/** msgpackr copies what it has to a larger buffer where one does not do; a payload that holds itself would need more forever. */
const scratch: Buffer = Object.defineProperty(Buffer.allocUnsafeSlow(SCRATCH_BYTES), 'copy', {
  value(this: Buffer, ...place: Parameters<Buffer['copy']>): number {
    assertFlawless(suspect)
    return Buffer.prototype.copy.apply(this, place)
  },
})
let usesScratch = false

/**
 * The packed value, only lent: the next call writes over it.
 *
 * @param payload what in the value comes from a program and may be flawed
 * @throws UnserializablePayload
 */
export function pack(value: unknown, payload = value): Uint8Array {
  if (packing + looking === 0) begin()
  // Otherwise what has been lent would be written over. (What is being packed, msgpackr takes care of.)
  else if (packing === 0) use(Buffer.allocUnsafeSlow(8192))
  const outer = suspect
  suspect = payload
  try {
    const lent = packToScratch(value)
    const { start = 0, end = lent.length } = lent
    // What is short is not deep, so that most payloads need no look at all that they hold.
    if (isUnusual || end - start > MAX_DEPTH) assertFlawless(payload)
    if (lent !== scratch) usesScratch = false
    return new Uint8Array(lent.buffer, lent.byteOffset + start, end - start)
  } catch (error) {
    usesScratch = false
    if (error instanceof UnserializablePayload) throw error
    throw refusal(payload, error)
  } finally {
    suspect = outer
  }
}

function begin(): void {
  isUnusual = false
  if (!usesScratch) use(scratch)
}

/** What is lent out is not touched: msgpackr only takes another buffer for what comes next. */
function use(buffer: Buffer): void {
  packr.useBuffer(buffer)
  usesScratch = buffer === scratch
}

function packToScratch(value: unknown): Scratch {
  packing++
  try {
    return packr.pack(value, LEND_SCRATCH)
  } finally {
    packing--
  }
}

function assertFlawless(payload: unknown): void {
  looking++
  try {
    const flaw = findFlaw(payload)
    if (flaw) throw unserializable(flaw)
  } finally {
    looking--
  }
}

/** Says what is wrong with a payload that could not be packed: with the place, where that can be found. */
function refusal(payload: unknown, cause: unknown): UnserializablePayload {
  try {
    return unserializable(findFlaw(payload) ?? asError(cause).message, cause)
  } catch {
    return unserializable(asError(cause).message, cause)
  }
}

function unserializable(flaw: string, cause?: unknown): UnserializablePayload {
  const message = `expected a payload that msgpack can carry, but ${flaw}`
  return new UnserializablePayload(message, cause === undefined ? undefined : { cause })
}
