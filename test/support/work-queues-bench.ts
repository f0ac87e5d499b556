import type { Channel } from '../../src/channel/channel'
import { MemoryBudget } from '../../src/channel/memory-budget'
import type { LahjaError } from '../../src/model/errors'
import type { Interest } from '../../src/model/interest'
import { DEFAULT_LIMITS, type Limits } from '../../src/model/limits'
import type { OverflowPolicy } from '../../src/model/overflow'
import type { QueueEvent } from '../../src/queues/queue-event'
import { type LeftInHand, WorkQueues } from '../../src/queues/work-queues'
import { Routes } from '../../src/routing/routes'
import type { Progress } from '../../src/wire/message'
import { ManualClock } from './manual-clock'
import { queueEvent } from './queue-events'
import type { RecordingChannel } from './recording-channel'

/** Bytes of memory that an event of `send` takes, while its number is less than 128. */
export const EVENT_BYTES = 401

/** The same of one with a key of one character. */
export const KEYED_EVENT_BYTES = EVENT_BYTES + 201

interface Sending extends NonNullable<Parameters<typeof queueEvent>[1]> {
  readonly policy?: OverflowPolicy['kind']
}

/** The sending side of the queue `q` of an endpoint named `shop`. */
export class WorkQueuesBench {
  readonly clock = new ManualClock()
  readonly limits: Limits
  readonly budget: MemoryBudget
  readonly routes = new Routes<Channel>({ name: 'shop', groups: [] })
  readonly reported: LahjaError[] = []
  /** What has been assigned to members that don't say how many they take. */
  readonly assigned: [event: QueueEvent, channels: string[]][] = []
  /** Events that have failed for the last time, by the name of their member. */
  readonly unfinished: [name: string, payload: unknown][] = []
  /** Dead letters. */
  readonly broadcasts: [type: string, payload: unknown, internal: boolean][] = []
  /** An error for dead letters to meet. */
  refusal: LahjaError | undefined
  readonly queues: WorkQueues
  state: 'open' | 'draining' | 'closed' = 'open'

  constructor(limits: Partial<Limits> = {}) {
    this.limits = { ...DEFAULT_LIMITS, ...limits }
    this.budget = new MemoryBudget(this.limits.outboxTotalBytes)
    this.queues = new WorkQueues({
      clock: this.clock,
      limits: this.limits,
      budget: this.budget,
      routes: this.routes,
      state: () => this.state,
      report: (error) => void this.reported.push(error),
      changed: () => {},
      unfinished: ({ identity }, { payload }) => void this.unfinished.push([identity.name, payload]),
      origin: 'shop',
      broadcast: (type, payload, internal) => {
        if (this.refusal) throw this.refusal
        this.broadcasts.push([type, payload, internal])
      },
      assign: (event, members) => {
        this.assigned.push([event, members.map(({ destination }) => destination.identity.name)])
      },
    })
  }

  get waiting(): number {
    return this.queues.info().find(({ name }) => name === 'q')?.waiting ?? 0
  }

  /** A member subscribes that says how many events it takes; without a capacity, one that doesn't. */
  join(channel: Channel, member: number, capacity?: number, type = 'job'): Interest {
    const interest = { type, queue: 'q', ...(capacity !== undefined && { member, capacity }) }
    this.routes.add(channel, interest)
    this.queues.onSubscribe(channel, [interest])
    return interest
  }

  unsubscribe(channel: Channel, interest: Interest): void {
    this.routes.remove(channel, interest)
    this.queues.onUnsubscribe(channel, [interest], false)
  }

  /** Sends an event. Returns whether its sender should wait. */
  send(place: number, { policy = 'wait', ...options }: Sending = {}): boolean {
    const chosen: OverflowPolicy = policy === 'latest' ? { kind: policy, key: options.key ?? '' } : { kind: policy }
    return this.queues.offer(queueEvent(place, options), chosen) !== undefined
  }

  sendAll(...places: number[]): void {
    for (const place of places) this.send(place)
  }

  progress(channel: Channel, member: number, news: Partial<Progress>): void {
    this.queues.onProgress(channel, {
      kind: 'progress',
      member,
      capacity: 1,
      begun: 0,
      handled: [],
      returned: [],
      ...news,
    })
  }

  /** The link with an endpoint ends. Returns the payloads of unfinished events, and how many go to others. */
  close(channel: Channel, isRead = true): { readonly unfinished: unknown[]; readonly returned: number } {
    channel.outbox.close()
    this.routes.removeAll(channel)
    const { unfinished, returned }: LeftInHand = this.queues.onClosed(channel, isRead)
    return { unfinished: unfinished.map(({ payload }) => payload), returned }
  }
}

/** The payloads that a channel has been given since the last call: only their number, if they have a filler. */
export function givenTo(channel: RecordingChannel): unknown[] {
  return channel.takeTold().map((message) => {
    if (message.kind !== 'give') throw new TypeError(`expected a delivery, got ${message.kind}`)
    return Array.isArray(message.payload) ? message.payload[0] : message.payload
  })
}

/** The payloads of the events that errors are about. */
export function eventsOf(errors: readonly LahjaError[]): unknown[] {
  return errors.map((error) => {
    const event = 'event' in error && typeof error.event === 'object' ? error.event : undefined
    return event !== null && event !== undefined && 'payload' in event ? event.payload : 'none'
  })
}
