import * as v from 'valibot'
import { command, nothing, procedure } from '../multiprocess/procedure'

/** The progress of an actor. */
const standingReport = v.object({
  /** Records written. */
  records: v.number(),
  /** Queued bytes, and requests without a response. */
  pending: v.number(),
  /** Endpoints that are up. */
  up: v.number(),
  /** Endpoints that are starting or closing. */
  turning: v.number(),
  /** Peers of all its endpoints. */
  peers: v.number(),
})

export type Standing = v.InferOutput<typeof standingReport>

/** Starts an endpoint of this name. Answers before it is started. */
export const start = procedure('start', v.string(), nothing)

/** Ends all random actions. */
export const calm = command('calm')

export const standing = procedure('standing', nothing, standingReport)

/** Records the peers and interests that its endpoints know, at this time. */
export const look = procedure('look', v.number(), nothing)

/** Subscribes to everything, for the end. */
export const listen = command('listen')

/** Broadcasts and sends a request, at once. */
export const speak = command('speak')

/** Broadcasts once more and closes all endpoints; answers when they are closed. */
export const leave = command('leave')

/** Goes on without its parent, so it exits unless something else keeps it alive. */
export const release = command('release')
