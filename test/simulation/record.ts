import { z } from 'zod'

const audience = z.union([z.string(), z.array(z.string()), z.object({ group: z.string() })])
const count = z.int().min(0)

/** When, on a clock that all endpoints share, in milliseconds, and a label for one life of one endpoint. */
const common = { at: z.number(), endpoint: z.string() }

function kind<Kind extends string, Shape extends z.ZodRawShape>(kind: Kind, shape: Shape) {
  return z.strictObject({ ...common, kind: z.literal(kind), ...shape })
}

/** The limits by which an endpoint is judged. */
const limits = z.object({
  frameBytes: z.number(),
  outboxBytes: z.number(),
  windowBytes: z.number(),
  patience: z.number(),
  rescanInterval: z.number(),
  handshakeTimeout: z.number(),
  pendingHandshakes: z.number(),
})

export const judgedLimits = (all: z.input<typeof limits>): z.output<typeof limits> => limits.parse(all)

const record = z.discriminatedUnion('kind', [
  /** `Endpoint.start` is called. */
  kind('starting', {
    name: z.string(),
    groups: z.array(z.string()),
    overflow: z.string().optional(),
    limits,
  }),
  /** It has resolved; `id` is the one that peers know it by. */
  kind('started', { id: z.string() }),
  kind('refused', { code: z.string() }),
  kind('closing', { timeout: z.number().optional() }),
  /** `close` has settled; with the names of those who have not taken everything. */
  /** Its promise has settled: names of peers that didn't take all, and types of events that it has not handled. */
  kind('closed', { undelivered: z.array(z.string()), unhandled: z.array(z.string()).optional() }),
  kind('killed', {}),
  /** The loop stands still, and goes on. */
  kind('frozen', {}),
  kind('thawed', {}),
  /** Something has removed its socket file. */
  kind('unpublished', {}),
  /** Something has broken a connection of it. */
  kind('cut', {}),
  /** Anything else that makes a connection late. */
  kind('disturbed', { what: z.string() }),
  kind('subscribed', {
    subscription: count,
    type: z.string(),
    from: audience.optional(),
    queue: z.string().optional(),
    /** Of a queue; absent if events are dealt out when they are broadcast. */
    prefetch: z.union([count, z.literal('auto')]).optional(),
    /** It is read from: what has arrived can be read when the endpoint is closed. */
    isStream: z.boolean().optional(),
  }),
  kind('ready', { subscription: count }),
  kind('unsubscribed', { subscription: count }),
  /** `broadcast` is called; events are numbered by their sender in the order of the calls. */
  kind('sent', {
    event: count,
    type: z.string(),
    digest: z.number(),
    /** The number in its headers. Left out by a sender without headers. */
    headers: z.number().optional(),
    /** Bytes of its payload, at least. */
    size: count,
    to: audience.optional(),
    except: audience.optional(),
    internal: z.boolean().optional(),
    /** Whether a later event may take its place while it waits. */
    isReplaceable: z.boolean().optional(),
    /** Whether members of a queue may get it more than once. */
    isRedelivered: z.boolean().optional(),
    /** Its key in a queue. */
    partition: z.string().optional(),
    /** Whether it waits for a queue that gets a member. */
    isHeld: z.boolean().optional(),
  }),
  /** Its promise has resolved to the number of endpoints, or has been rejected. */
  kind('handed', { event: count, count: count }),
  kind('failed', { event: count, code: z.string() }),
  /** Its sender was told what has become of an event of a queue: begun by a member that is gone, or given to nobody. */
  kind('reported', { event: count }),
  /** A handler has been called. */
  kind('received', {
    subscription: count,
    type: z.string(),
    origin: z.string(),
    sender: z.string(),
    event: count,
    digest: z.number(),
    /** Left out by a receiver that passes over headers. */
    headers: z.number().optional(),
    /** Whether its handler takes a while: then it is followed by `handled`. */
    isLong: z.boolean().optional(),
  }),
  /** An async handler is done with the event. */
  kind('handled', { subscription: count, sender: z.string(), event: count }),
  kind('gap', { peer: z.string(), count }),
  kind('joined', { peer: z.string(), name: z.string() }),
  kind('left', { peer: z.string(), name: z.string(), unhandled: count.optional() }),
  kind('lost', { peer: z.string(), name: z.string(), cause: z.string(), undelivered: count, unconfirmed: count }),
  kind('slow', { peer: z.string(), name: z.string() }),
  kind('lagging', { peer: z.string(), name: z.string() }),
  kind('recovered', { peer: z.string(), name: z.string() }),
  kind('unresponsive', { peer: z.string(), name: z.string() }),
  kind('error', { code: z.string(), message: z.string() }),
  kind('responding', { type: z.string() }),
  kind('unresponding', { type: z.string() }),
  /** `request` is called; or `requestAll`. */
  kind('asked', {
    request: count,
    type: z.string(),
    timeout: z.number(),
    all: z.boolean(),
    ordered: z.boolean().optional(),
  }),
  /** A handler of a request has been called. */
  kind('begun', { asker: z.string(), request: count, type: z.string() }),
  /** It has come to its end. */
  kind('answered', { asker: z.string(), request: count, type: z.string() }),
  /** A reply: `response`, or the code of an error. `correct`: is the response the one to this request? */
  kind('replied', { request: count, origin: z.string(), outcome: z.string(), correct: z.boolean() }),
  /** Its promise has settled, or its stream of replies has ended. */
  kind('settled', { request: count, outcome: z.string() }),
  /** From here on nothing goes wrong any more. */
  kind('healed', {}),
  /** What it knows of the others when all is calm: everything it should. */
  kind('acquainted', {
    peers: z.array(z.object({ id: z.string(), subscriptions: z.array(z.string()), responds: z.array(z.string()) })),
    subscriptions: z.array(z.string()),
    responds: z.array(z.string()),
  }),
  /** Everything that was sent has had the time to arrive, and be handled. */
  kind('quiet', {}),
  /** What an endpoint that has closed still keeps its process alive with. */
  kind('leftover', { what: z.string(), count }),
])

/** One thing that one endpoint has done or seen, or that was done to it. */
export type HistoryRecord = z.infer<typeof record>
export type Kind = HistoryRecord['kind']
export type RecordOf<Of extends Kind> = Extract<HistoryRecord, { readonly kind: Of }>

/** @throws ZodError for a line that is no record */
export function parseRecord(line: string): HistoryRecord {
  return record.parse(JSON.parse(line))
}

/** A record without when and whose. */
export type RecordFields = HistoryRecord extends infer Each
  ? Each extends HistoryRecord
    ? Omit<Each, 'at' | 'endpoint'>
    : never
  : never
