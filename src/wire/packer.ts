import type { EventHeaders } from '../model/event'
import { NO_HEADERS } from '../model/headers'
import { Overlong } from './flaw'
import { PayloadWriter } from './payload-writer'
import type { Region } from './region'
import type { ShapeTree } from './shape-tree'

/** A value that is larger than its limit by no more than this is measured. */
const MEASURED_BYTES = 4096

const EMPTY = Buffer.alloc(0)

/** A packed value. Unless it is in a region that was meant for it, the next call overwrites it. */
export interface Packed {
  readonly bytes: Buffer
  readonly start: number
  /** Infinite if it was given up. */
  readonly end: number
  /** Whether it holds an integer over 64 bits. */
  readonly hasBigints: boolean
  /** How many bytes more it would take without records. 0 if it has none. */
  readonly savedBytes: number
}

/** Its size is only known to be over the limit. */
const OVERLONG: Packed = {
  bytes: EMPTY,
  start: 0,
  end: Number.POSITIVE_INFINITY,
  hasBigints: false,
  savedBytes: 0,
}

/** Undefined while it is used: a getter of a value may send another one. */
let spare: PayloadWriter | undefined = new PayloadWriter()

/**
 * Packs the payload of an event.
 *
 * @param limit bytes above which the result may have an infinite size, and no bytes
 * @param region where to pack it, as far as it fits there
 * @param records decides which objects become records. Default: none
 * @throws UnserializablePayload
 */
export function packPayload(payload: unknown, limit: number, region?: Region, records?: ShapeTree): Packed {
  const writer = spare ?? new PayloadWriter()
  spare = undefined
  try {
    writer.payload(payload, limit + MEASURED_BYTES, region, records)
    return writer
  } catch (error) {
    return overlong(error)
  } finally {
    spare = writer
  }
}

/** Packs headers that are known to be valid; undefined if there are none. */
export function packHeaders(headers: EventHeaders): Buffer | undefined {
  if (headers === NO_HEADERS) return undefined
  const { bytes, start, end } = packPayload(headers, Number.POSITIVE_INFINITY)
  return Buffer.from(bytes.subarray(start, end))
}

/**
 * Packs a message, whose last element may come from the program.
 *
 * @param limit bytes above which the result may have an infinite size, and no bytes
 * @param plainFor the name of a receiver that takes no integers over 64 bits
 * @param region where to pack it, as far as it fits there
 * @throws UnserializablePayload
 */
export function packMessage(elements: readonly unknown[], limit: number, plainFor?: string, region?: Region): Packed {
  const writer = spare ?? new PayloadWriter()
  spare = undefined
  try {
    writer.message(elements, limit + MEASURED_BYTES, plainFor, region)
    return writer
  } catch (error) {
    return overlong(error)
  } finally {
    spare = writer
  }
}

function overlong(error: unknown): Packed {
  if (error instanceof Overlong) return OVERLONG
  throw error
}

/** The size of a packed value for people, which is infinite if it was given up. */
export function measured(bytes: number, limit: number): string {
  return Number.isFinite(bytes) ? `${bytes} bytes` : `over ${limit} bytes`
}
