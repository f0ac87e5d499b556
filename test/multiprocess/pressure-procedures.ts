import * as v from 'valibot'
import { nothing, ofEndpoint } from './procedure'
import { tallyReport } from './tally'

/** How a type is read. */
const reading = v.object({
  type: v.string(),
  /** With `for await` instead of a handler. */
  streams: v.optional(v.boolean()),
  /** Milliseconds that each event takes. Default: none. */
  takes: v.optional(v.number()),
  /** The type of a request to the event's origin that each event takes. Default: none. */
  asks: v.optional(v.string()),
})

export type Reading = v.InferOutput<typeof reading>

/** Events broadcast at full speed. */
const floodOrder = v.object({
  type: v.string(),
  count: v.number(),
  /** The number of the first. Default 0. */
  first: v.optional(v.number()),
  /** Bytes in each payload beside its number. */
  filler: v.number(),
  /** Awaits each broadcast. Default: none. */
  waits: v.optional(v.boolean()),
})

export type Flood = v.InferOutput<typeof floodOrder>

const floodReport = v.object({
  /** Bytes by which the memory of the process grew, at most. */
  growth: v.number(),
  /** Bytes queued for one peer, at most. */
  queued: v.number(),
  /** Milliseconds of the two longest broadcasts. */
  longest: v.pipe(v.tuple([v.number(), v.number()]), v.readonly()),
})

export type FloodReport = v.InferOutput<typeof floodReport>

const standing = v.object({ name: v.string(), queuedBytes: v.number(), droppedEvents: v.number() })

export type Standing = v.InferOutput<typeof standing>

/** Accepted events that a peer has not taken. */
const undelivered = v.object({ name: v.string(), events: v.number() })

export type Undelivered = v.InferOutput<typeof undelivered>

/** Subscribes and counts events; answers when the subscription is ready. */
export const read = ofEndpoint('read', reading, nothing)

/** Answers when the event of this number has been read. */
export const untilRead = ofEndpoint('untilRead', v.object({ type: v.string(), number: v.number() }), nothing)

/** The events read of a type. */
export const tally = ofEndpoint('tally', v.string(), tallyReport)

export const flood = ofEndpoint('flood', floodOrder, floodReport)

/** The state of the endpoint's peers. */
export const standings = ofEndpoint('standings', nothing, v.array(standing))

/** Closes; answers which peers did not take everything within this many milliseconds. */
export const closeWithin = ofEndpoint('closeWithin', v.number(), v.array(undelivered))
