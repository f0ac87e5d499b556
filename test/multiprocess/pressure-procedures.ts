import { ofEndpoint } from './endpoint-procedure'
import { fields, flag, listOf, nothing, number, optional, text } from './parse'
import { parseTallyReport } from './tally'

/** How a type is read. */
export interface Reading {
  readonly type: string
  /** With `for await` instead of a handler. */
  readonly streams?: boolean | undefined
  /** Milliseconds that each event takes. Default: none. */
  readonly takes?: number | undefined
  /** The type of a request to the event's origin that each event takes. Default: none. */
  readonly asks?: string | undefined
}

/** Events broadcast at full speed. */
export interface Flood {
  readonly type: string
  readonly count: number
  /** The number of the first. Default 0. */
  readonly first?: number | undefined
  /** Bytes in each payload beside its number. */
  readonly filler: number
  /** Awaits each broadcast. Default: none. */
  readonly waits?: boolean | undefined
}

export interface FloodReport {
  /** Bytes of memory that the process had more, at most, than before. */
  readonly growth: number
  /** Bytes that waited for one peer, at most. */
  readonly queued: number
  /** Milliseconds that each of the two longest broadcasts took. */
  readonly longest: readonly [number, number]
}

export interface Standing {
  readonly name: string
  readonly queuedBytes: number
  readonly droppedEvents: number
}

/** What a peer has not taken of what was accepted for it. */
export interface Undelivered {
  readonly name: string
  readonly events: number
}

/** Subscribes, and counts what comes; answers when the subscription is ready. */
export const read = ofEndpoint('read', parseReading, nothing)

/** Answers when the event of this number has been read. */
export const untilRead = ofEndpoint('untilRead', parseRead, nothing)

/** What has been read of a type. */
export const tally = ofEndpoint('tally', text, parseTallyReport)

export const flood = ofEndpoint('flood', parseFlood, parseFloodReport)

/** Where the endpoint stands with each of its peers. */
export const standings = ofEndpoint('standings', nothing, listOf(parseStanding))

/** Closes; answers which peers did not take everything within so many milliseconds. */
export const closeWithin = ofEndpoint('closeWithin', number, listOf(parseUndelivered))

function parseReading(value: unknown): Reading {
  const { type, streams, takes, asks } = fields(value)
  return {
    type: text(type),
    streams: optional(flag)(streams),
    takes: optional(number)(takes),
    asks: optional(text)(asks),
  }
}

function parseFlood(value: unknown): Flood {
  const { type, count, first, filler, waits } = fields(value)
  return {
    type: text(type),
    count: number(count),
    first: optional(number)(first),
    filler: number(filler),
    waits: optional(flag)(waits),
  }
}

function parseRead(value: unknown): { readonly type: string; readonly number: number } {
  const { type, number: latest } = fields(value)
  return { type: text(type), number: number(latest) }
}

function parseFloodReport(value: unknown): FloodReport {
  const { growth, queued, longest } = fields(value)
  const [first, second] = listOf(number)(longest)
  return { growth: number(growth), queued: number(queued), longest: [number(first), number(second)] }
}

function parseStanding(value: unknown): Standing {
  const { name, queuedBytes, droppedEvents } = fields(value)
  return { name: text(name), queuedBytes: number(queuedBytes), droppedEvents: number(droppedEvents) }
}

function parseUndelivered(value: unknown): Undelivered {
  const { name, events } = fields(value)
  return { name: text(name), events: number(events) }
}
