import type { Channel } from '../channel/channel'
import type { Receipt } from '../channel/receive-window'
import { handlerError, LahjaError, NoSubscribers } from '../model/errors'
import { NO_HEADERS } from '../model/headers'
import { isInterestedIn } from '../model/interest'
import type { Clock } from '../platform/clock'
import { Balancer } from '../routing/balancer'
import type { Assignment } from '../wire/message'
import type { Consumer } from './consumer'

export interface QueueReceiverContext {
  readonly clock: Clock
  /** The members of a queue at this endpoint that are subscribed to this type. */
  readonly membersOf: (queue: string, type: string) => readonly Consumer[]
  /** Whether another endpoint has members of a queue that are subscribed to this type. */
  readonly hasOthers: (queue: string, type: string) => boolean
  readonly report: (error: LahjaError) => void
  /** Called when an assignment has been settled. */
  readonly settled: () => void
}

/** The receiving side of work queues: hands assigned events to members, and settles with their senders. */
export class QueueReceiver {
  readonly #context: QueueReceiverContext
  readonly #balancer = new Balancer()
  /** Assignments handled and not reported yet, by the channel to their sender. */
  readonly #settled = new Map<Channel, number>()
  #inFlight = 0
  /** Whether what has not begun is returned, if another member may have it. */
  #isLeaving = false
  /** Events that were begun nowhere when the receiver stopped, by type; undefined until then. */
  #left: Map<string, number> | undefined

  constructor(context: QueueReceiverContext) {
    this.#context = context
  }

  /** Whether no assignment is running or waiting. */
  get isIdle(): boolean {
    return this.#inFlight === 0
  }

  /** Hands an event to the member with the fewest in flight, or back to its sender if there is none. */
  assign(assignment: Assignment, channel: Channel): void {
    this.#handOut(assignment, channel, channel.receiveWindow.hold(true))
  }

  /** The endpoint leaves: from now on events go back that others may have, and their senders are still there. */
  leave(): void {
    this.#isLeaving = true
  }

  /**
   * Begins no event any more: what others may have goes back to its sender, until the members have returned all that waits.
   *
   * @returns numbers of events that neither a member nor a sender has, by type; it grows as members return them
   */
  stop(): ReadonlyMap<string, number> {
    this.#left ??= new Map()
    return this.#left
  }

  /** Reports handled assignments to their senders now, not at the end of the turn. */
  flush(): void {
    for (const [channel, count] of this.#settled) channel.sendMessage({ kind: 'settle', count })
    this.#settled.clear()
  }

  #handOut(assignment: Assignment, channel: Channel, account: Receipt): void {
    const { queue, type, payload, headers = NO_HEADERS } = assignment
    const members = this.#context.membersOf(queue, type)
    const interested = members.filter(({ interest }) => isInterestedIn(interest, channel.identity))
    const isReturned = this.#isLeaving && this.#mayReturn(assignment, channel)
    if (this.#left && !isReturned) {
      this.#left.set(type, (this.#left.get(type) ?? 0) + 1)
      // A sender that is still there counts it too. Nobody else can tell of one that isn't.
      if (channel.outbox.isClosed) this.#reportLost(assignment, channel)
      return
    }
    const member = isReturned ? undefined : this.#balancer.pick(interested, ({ load }) => load, queue)
    if (!member) {
      account.release()
      return this.#return(assignment, channel)
    }
    this.#inFlight++
    const event = { type, payload, origin: channel.identity.name, headers }
    member.take(event, {
      done: () => {
        this.#inFlight--
        account.done()
        this.#settle(channel)
      },
      release: () => {
        this.#inFlight--
        this.#handOut(assignment, channel, account)
      },
    })
  }

  #mayReturn({ queue, type, isFixed }: Assignment, channel: Channel): boolean {
    if (isFixed || channel.outbox.isClosed || !this.#context.hasOthers(queue, type)) return false
    // A sender that knows of the close says when it has given back everything: it must not get more until then.
    return this.#left !== undefined || !channel.hasUnsubscribedAll
  }

  /** Counts an assignment as handled. Reported to its sender once a turn. */
  #settle(channel: Channel): void {
    if (this.#settled.size === 0) this.#context.clock.nextTurn(() => this.flush())
    this.#settled.set(channel, (this.#settled.get(channel) ?? 0) + 1)
    this.#context.settled()
  }

  #reportLost({ type, queue, payload, headers = NO_HEADERS }: Assignment, { identity }: Channel): void {
    const why = `the last member of the queue left here, and its sender ${identity.name} has disconnected`
    const event = { type, payload, origin: identity.name, headers }
    this.#context.report(new NoSubscribers(`event ${type} of queue ${queue} is lost: ${why}`, { event }))
  }

  #return(assignment: Assignment, channel: Channel): void {
    const { type, queue } = assignment
    const label = `event ${type} of queue ${queue}`
    if (channel.outbox.isClosed) return this.#reportLost(assignment, channel)
    try {
      channel.sendMessage({ ...assignment, kind: 'return' })
    } catch (thrown) {
      const failure = handlerError(`${label} could not be returned to its sender`, thrown)
      this.#context.report(thrown instanceof LahjaError ? thrown : failure)
      this.#settle(channel)
    }
  }
}
