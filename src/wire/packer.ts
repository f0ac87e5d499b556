import type { EventHeaders } from '../model/event'
import { NO_HEADERS } from '../model/headers'
import { Overlong } from './flaw'
import type { Room } from './msgpack-writer'
import { PayloadWriter } from './payload-writer'
import type { RecordKeys } from './record-keys'

/** A value that is larger than its limit by no more than this is measured. */
const MEASURED_BYTES = 4096

const EMPTY = Buffer.alloc(0)

/** A packed value. Unless it is in a room that was meant for it, the next call overwrites it. */
export interface Packed extends Room {
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
  view: new DataView(EMPTY.buffer, 0, 0),
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
 * @param room where to pack it, as far as it fits there
 * @param records what its objects may be records by. Default: all are maps
 * @throws UnserializablePayload
 */
export function pack(payload: unknown, limit: number, room?: Room, records?: RecordKeys): Packed {
  const writer = spare ?? new PayloadWriter()
  spare = undefined
  try {
    writer.payload(payload, limit + MEASURED_BYTES, room, records)
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
  const { bytes, start, end } = pack(headers, Number.POSITIVE_INFINITY)
  return Buffer.from(bytes.subarray(start, end))
}

/**
 * Packs a message, whose last element may come from the program.
 *
 * @param limit bytes above which the result may have an infinite size, and no bytes
 * @param plainFor the name of a receiver that takes no integers over 64 bits
 * @param room where to pack it, as far as it fits there
 * @throws UnserializablePayload
 */
export function packMessage(elements: readonly unknown[], limit: number, plainFor?: string, room?: Room): Packed {
  const writer = spare ?? new PayloadWriter()
  spare = undefined
  try {
    writer.message(elements, limit + MEASURED_BYTES, plainFor, room)
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
