import { Packr } from 'msgpackr'
import { asError, UnserializablePayload } from './errors'
import { findFlaw } from './payload'

/** Pack to the start of msgpackr's scratch buffer and lend it out, instead of allocating: the frame is copied anyway. */
const LEND_SCRATCH = 512 | 1024

/** msgpackr keeps a scratch buffer as large as the largest payload it has packed; over this it is given up. */
const SCRATCH_BYTES = 256 * 1024

/** What msgpackr lends out: its whole scratch buffer, and where in it the result lies. */
interface Scratch extends Buffer {
  readonly start?: number
  readonly end?: number
}

const packr = new Packr({
  useRecords: false,
  variableMapSize: true,
  structuredClone: false,
  moreTypes: false,
  // Left to itself msgpackr writes a function as `undefined`: a payload that is not the one that was sent.
  writeFunction(): never {
    throw new TypeError('it holds a function')
  },
})

/** How many payloads are being packed: a getter or `toJSON` of one may broadcast another. */
let packing = 0

/** The packed payload, only lent: the next call writes over it. @throws UnserializablePayload */
export function pack(payload: unknown): Uint8Array {
  packing++
  try {
    const flaw = findFlaw(payload)
    if (flaw) throw unserializable(flaw)
    const scratch: Scratch = packr.pack(payload, LEND_SCRATCH)
    const { start = 0, end = scratch.length } = scratch
    letScratchGo(scratch.length)
    return new Uint8Array(scratch.buffer, scratch.byteOffset + start, end - start)
  } catch (error) {
    throw error instanceof UnserializablePayload ? error : unserializable(asError(error).message, error)
  } finally {
    packing--
  }
}

/** What is lent out is not touched: msgpackr only takes another buffer for what comes next. */
function letScratchGo(packedBytes: number): void {
  if (packing === 1 && packedBytes > SCRATCH_BYTES) packr.useBuffer(Buffer.allocUnsafeSlow(8192))
}

export function unserializable(flaw: string, cause?: unknown): UnserializablePayload {
  const message = `expected a payload that msgpack can carry, but ${flaw}`
  return new UnserializablePayload(message, cause === undefined ? undefined : { cause })
}

/** @throws UnserializablePayload */
export function packElements(elements: readonly unknown[]): Buffer {
  packing++
  try {
    const packed = packr.pack(elements)
    letScratchGo(packed.length)
    return packed
  } catch (error) {
    throw unserializable(asError(error).message, error)
  } finally {
    packing--
  }
}
