import { fields, nothing, number, text } from '../multiprocess/parse'
import type { Procedure } from '../multiprocess/procedure'

/** How far an actor is. */
export interface Standing {
  /** Records that it has written. */
  readonly records: number
  /** Bytes that wait for others, and requests that wait for their responses. */
  readonly pending: number
  /** Endpoints that are there for others. */
  readonly up: number
  /** Endpoints that are about to start, or to close. */
  readonly turning: number
  /** Peers of all its endpoints. */
  readonly peers: number
}

/** Begins a life of that name. Answers before it is started. */
export const start: Procedure<string, void> = { name: 'start', argument: text, answer: nothing }

/** Does nothing more of its own accord. */
export const calm: Procedure<void, void> = { name: 'calm', argument: nothing, answer: nothing }

export const standing: Procedure<void, Standing> = { name: 'standing', argument: nothing, answer: parseStanding }

/** Writes down what its endpoints know of the others, at that moment. */
export const look: Procedure<number, void> = { name: 'look', argument: number, answer: nothing }

/** Subscribes to everything, for the end. */
export const listen: Procedure<void, void> = { name: 'listen', argument: nothing, answer: nothing }

/** Broadcasts and asks, at once. */
export const speak: Procedure<void, void> = { name: 'speak', argument: nothing, answer: nothing }

/** Has last words and closes all endpoints; answers when they are closed. */
export const leave: Procedure<void, void> = { name: 'leave', argument: nothing, answer: nothing }

/** Goes on without its parent, and so ends if nothing else keeps it alive. */
export const release: Procedure<void, void> = { name: 'release', argument: nothing, answer: nothing }

function parseStanding(value: unknown): Standing {
  const { records, pending, up, turning, peers } = fields(value)
  return {
    records: number(records),
    pending: number(pending),
    up: number(up),
    turning: number(turning),
    peers: number(peers),
  }
}
