import type { Channel } from '../channel/channel'
import { type Audience, includes } from '../model/audience'
import { boundaryOf, isWithin } from '../model/boundary'
import { LahjaError, NoSubscribers, RemoteDisconnected, RemoteError } from '../model/errors'
import { Balancer } from '../routing/balancer'
import type { Frame } from '../wire/frame'
import type { MessageOf } from '../wire/message'
import { WaitingList } from './waiting-list'

/** How one request ended. */
export type Outcome =
  | { readonly kind: 'response'; readonly origin: string; readonly payload: unknown }
  | { readonly kind: 'failure'; readonly origin: string; readonly error: LahjaError }

/** A request that waits: for its turn, or for its response. */
interface Pending {
  readonly id: number
  readonly type: string
  readonly payload: unknown
  /** Who can be asked now. */
  readonly candidates: () => readonly Channel[]
  readonly settle: (outcome: Outcome) => void
  /** Who has been asked. */
  channel: Channel | undefined
  /** In which it was asked. */
  frame: Frame | undefined
  /** Who will not have it. */
  readonly declined: Set<Channel>
}

export interface RequestsContext {
  readonly responders: (type: string) => readonly Channel[]
}

/** What this endpoint asks of others: whom, what is still unanswered, and how each of it ends, exactly once. */
export class PendingRequests {
  readonly #context: RequestsContext
  readonly #pending = new Map<number, Pending>()
  /** What each has been asked and hasn't answered. */
  readonly #inFlight = new Map<Channel, Set<Pending>>()
  /** What waits until somebody can be asked. */
  readonly #line = new WaitingList<Pending, Channel>()
  readonly #rotation = new Balancer()
  #lastId = 0

  constructor(context: RequestsContext) {
    this.#context = context
  }

  /** Everyone who can be asked: responds to the type, is within its boundary, and is meant. */
  candidates(type: string, to: Audience | undefined): readonly Channel[] {
    const boundary = boundaryOf(type)
    const responders = this.#context.responders(type)
    if (boundary === undefined && to === undefined) return responders
    return responders.filter(({ identity, isOwn }) => {
      return (isOwn || !boundary || isWithin(boundary, identity)) && (to === undefined || includes(to, identity))
    })
  }

  /**
   * Asks the one of the candidates with the fewest requests in flight from here. One that declines is not asked again.
   *
   * @param settle called once, unless the request is given up
   * @returns gives the request up: the responder is told, and `settle` is not called any more
   * @throws UnserializablePayload, PayloadTooLarge
   */
  ask(
    type: string,
    payload: unknown,
    candidates: () => readonly Channel[],
    settle: (outcome: Outcome) => void,
  ): () => void {
    const id = ++this.#lastId
    const declined = new Set<Channel>()
    const pending: Pending = { id, type, payload, candidates, settle, declined, channel: undefined, frame: undefined }
    this.#pending.set(id, pending)
    try {
      this.#place(pending)
    } catch (error) {
      this.#forget(pending)
      throw error
    }
    return () => this.#giveUp(pending)
  }

  message(channel: Channel, message: MessageOf<'response' | 'failure' | 'decline'>): void {
    const pending = this.#pending.get(message.id)
    // An answer to what was given up meanwhile, or to what another was asked.
    if (!pending || pending.channel !== channel) return
    const origin = channel.identity.name
    switch (message.kind) {
      case 'response':
        return this.#settle(pending, { kind: 'response', origin, payload: message.payload })
      case 'failure': {
        const error = new RemoteError(`request ${pending.type} to ${origin} failed`, origin, message.error)
        return this.#settle(pending, { kind: 'failure', origin, error })
      }
      case 'decline':
        pending.declined.add(channel)
        this.#detach(pending)
        this.#placeAgain(pending)
        return this.#next(channel)
      default:
        return message satisfies never
    }
  }

  /** A responder's link has ended: what it had in flight from here is answered with `RemoteDisconnected`. */
  ended(channel: Channel): void {
    const inFlight = this.#inFlight.get(channel) ?? []
    this.#inFlight.delete(channel)
    const origin = channel.identity.name
    for (const pending of inFlight) {
      const error = new RemoteDisconnected(`request ${pending.type}: expected a response, but ${origin} is gone`)
      this.#settle(pending, { kind: 'failure', origin, error })
    }
    this.advance()
  }

  /** Gives all in line another try: who can be asked is different now. */
  advance(): void {
    for (const pending of this.#line.all) this.#placeAgain(pending)
  }

  /** There is room for those in line with this responder. */
  #next(channel: Channel): void {
    for (const pending of this.#line.at(channel)) {
      if (this.#countOf(channel) >= channel.requestLimit) return
      this.#placeAgain(pending)
    }
  }

  /** Sends the request, puts it in line, or settles it if there is nobody to ask. */
  #place(pending: Pending): void {
    const { type, id, payload, declined } = pending
    const candidates = pending.candidates().filter((channel) => !declined.has(channel))
    if (candidates.length === 0) {
      const error = new NoSubscribers(`request ${type}: expected a responder, got none among those it is meant for`)
      return this.#settle(pending, { kind: 'failure', origin: '', error })
    }
    const free = candidates.filter((channel) => this.#countOf(channel) < channel.requestLimit)
    const channel = this.#rotation.pick(free, (candidate) => this.#countOf(candidate))
    if (!channel) return this.#line.join(pending, candidates)
    pending.frame = channel.sendControl({ kind: 'request', id, type, payload })
    this.#line.leave(pending)
    pending.channel = channel
    const inFlight = this.#inFlight.get(channel) ?? new Set()
    this.#inFlight.set(channel, inFlight.add(pending))
  }

  /** The same where the caller is not there any more to catch what another responder's limit throws. */
  #placeAgain(pending: Pending): void {
    try {
      this.#place(pending)
    } catch (error) {
      if (!(error instanceof LahjaError)) throw error
      this.#settle(pending, { kind: 'failure', origin: '', error })
    }
  }

  #settle(pending: Pending, outcome: Outcome): void {
    const { channel } = pending
    this.#forget(pending)
    pending.settle(outcome)
    if (channel) this.#next(channel)
  }

  #giveUp(pending: Pending): void {
    const { channel, frame, id } = pending
    if (!this.#pending.has(id)) return
    this.#forget(pending)
    if (!channel || !frame) return
    // What has not left is nothing to cancel: a responder that reads nothing must not make us keep both.
    if (!channel.outbox.cancelControl(frame)) channel.sendControl({ kind: 'cancel', id })
    this.#next(channel)
  }

  #forget(pending: Pending): void {
    this.#pending.delete(pending.id)
    this.#line.leave(pending)
    this.#detach(pending)
  }

  #detach(pending: Pending): void {
    const { channel } = pending
    if (!channel) return
    this.#inFlight.get(channel)?.delete(pending)
    pending.channel = pending.frame = undefined
  }

  #countOf(channel: Channel): number {
    return this.#inFlight.get(channel)?.size ?? 0
  }
}
