import * as v from 'valibot'
import { nothing, ofEndpoint } from './procedure'
import { manner, workReport } from './work'

/** How a process responds to requests of a type. */
const service = v.object({
  type: v.string(),
  manner: v.optional(manner),
  /** The directory of the work log. Default: none. */
  logs: v.optional(v.string()),
  /** Throws instead of responding. */
  throws: v.optional(v.boolean()),
})

export type Service = v.InferOutput<typeof service>

const workCounts = v.object({
  type: v.string(),
  begun: v.optional(v.number()),
  ended: v.optional(v.number()),
  aborted: v.optional(v.number()),
})

export type WorkCounts = v.InferOutput<typeof workCounts>

/** Answers when the responder is ready. Its responses are the request's number and the process's id. */
export const respond = ofEndpoint('respond', service, nothing)

/** Sends a request, and answers without waiting for its response. */
export const ask = ofEndpoint('ask', v.object({ type: v.string(), number: v.number() }), nothing)

/** The work of the handlers of a type or pattern. */
export const work = ofEndpoint('work', v.string(), workReport)

/** Answers when at least this many have been begun, ended and aborted. */
export const untilWork = ofEndpoint('untilWork', workCounts, nothing)

/** Answers when all of these numbers have been ended. */
export const untilEnded = ofEndpoint(
  'untilEnded',
  v.object({ type: v.string(), numbers: v.pipe(v.array(v.number()), v.readonly()) }),
  nothing,
)

/** Lets the oldest held handler of a type end. */
export const finishOldest = ofEndpoint('finishOldest', v.string(), nothing)

/** Lets all held handlers of a type end, and holds no later one. */
export const finishAll = ofEndpoint('finishAll', v.string(), nothing)
