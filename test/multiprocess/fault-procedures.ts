import * as v from 'valibot'
import { command, nothing, ofEndpoint, procedure } from './procedure'

/** The resources that a process uses. */
const consumptionReport = v.object({
  descriptors: v.number(),
  /** Resources that keep its event loop alive. */
  resources: v.array(v.string()),
  /** Bytes that are referenced, in the heap and outside of it. */
  held: v.number(),
  /** Resident bytes after a garbage collection. */
  resident: v.number(),
})

export type Consumption = v.InferOutput<typeof consumptionReport>

/** Endpoints that join and leave. `width`: how many at a time. */
const turnover = v.object({ directory: v.string(), cycles: v.number(), width: v.number() })

export type Turnover = v.InferOutput<typeof turnover>

/** Blocks the event loop until there is a file at this path. */
export const blockUntil = procedure('blockUntil', v.string(), nothing)

/** Moves the wall clock of the process by this number of milliseconds. */
export const shiftDate = procedure('shiftDate', v.number(), nothing)

/** Broadcasts an event with this many bytes beside its number, and exits with code 7 in the same turn. */
export const broadcastAndExit = ofEndpoint(
  'broadcastAndExit',
  v.object({ type: v.string(), filler: v.number() }),
  nothing,
)

/** Takes all descriptors that the process may have, and those that become free when peers are lost. */
export const hoardDescriptors = command('hoardDescriptors')

export const releaseDescriptors = command('releaseDescriptors')

/** Codes of the errors that sockets have ended with. */
export const socketFailures = procedure('socketFailures', nothing, v.array(v.string()))

/** The code with which the system refuses to watch a directory. */
export const watchFailure = procedure('watchFailure', v.string(), v.optional(v.string()))

export const consumption = procedure('consumption', nothing, consumptionReport)

/** Lets endpoints join and leave. */
export const turnOver = procedure('turnOver', turnover, nothing)
