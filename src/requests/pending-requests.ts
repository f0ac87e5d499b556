import { type Channel, fits, misfitError } from '../channel/channel'
import { referenceTo, travelsByReference } from '../channel/reference'
import type { Audience } from '../model/audience'
import { boundaryOf } from '../model/boundary'
import { type LahjaError, NoSubscribers, RemoteDisconnected, RemoteError } from '../model/errors'
import type { EventHeaders } from '../model/event'
import { NO_HEADERS } from '../model/headers'
import type { Interest } from '../model/interest'
import { isReserved } from '../model/reserved'
import { Balancer } from '../routing/balancer'
import { isEligible, noEndpoint } from '../routing/eligibility'
import type { Routes } from '../routing/routes'
import { encodeMessage } from '../wire/codec'
import type { Frame } from '../wire/frame'
import type { MessageOf } from '../wire/message'
import { headed } from '../wire/message'
import { WaitingList } from './waiting-list'

const NOBODY: ReadonlySet<never> = new Set()

/** How a request ended. */
export type Outcome =
  | { readonly kind: 'response'; readonly origin: string; readonly payload: unknown }
  | { readonly kind: 'failure'; readonly error: LahjaError }

/** A request as it is sent, to one responder or to several. */
export interface EncodedRequest {
  readonly id: number
  readonly type: string
  /** Later changes to the payload don't reach the responders, unless it travels by reference. */
  readonly frame: Frame
}

/** How a request to one responder is sent, and what is called when it has ended. */
export interface RequestSpec {
  /** Whether it travels behind the events that have been sent to its responder. */
  readonly isOrdered: boolean
  /** Whom it is addressed to, for messages; `candidates` decides. */
  readonly to?: Audience | undefined
  /** Whether it waits for a responder if there is none, until `stopWaiting`. */
  readonly waitsForResponder: boolean
  /** The responders that it may be sent to now. */
  candidates(): readonly Channel[]
  /** Called once, unless the request is cancelled. */
  settle(outcome: Outcome): void
}

/** A request that has been made: it waits to be sent or for its response. */
export class PendingRequest {
  readonly request: EncodedRequest
  readonly spec: RequestSpec
  waitsForResponder: boolean
  /** The responder that it was sent to. */
  channel: Channel | undefined
  /** Responders that declined it. */
  declined: ReadonlySet<Channel> = NOBODY
  /** Whether it has been settled or cancelled. */
  isOver = false

  constructor(request: EncodedRequest, spec: RequestSpec) {
    this.request = request
    this.spec = spec
    this.waitsForResponder = spec.waitsForResponder
  }
}

/** The requests from this endpoint that have not settled; each settles exactly once. */
export class PendingRequests {
  readonly #routes: Pick<Routes<Channel>, 'responders'>
  readonly #channels: () => readonly Channel[]
  readonly #frameLimit: number
  /** Requests sent and not answered, by responder and id. */
  readonly #inFlight = new Map<Channel, Map<number, PendingRequest>>()
  /** Requests sent and given up since a responder was heard last. */
  readonly #givenUp = new Map<Channel, { readonly count: number; readonly heard: number }>()
  /** Requests that wait for a responder below its limit: each at the responders it may go to, and at its type. */
  readonly #waiting = new WaitingList<PendingRequest, Channel | string>()
  readonly #balancer = new Balancer()
  #lastId = 0

  /**
   * @param channels to all endpoints, this one included
   * @param frameLimit bytes of a request
   */
  constructor(routes: Pick<Routes<Channel>, 'responders'>, channels: () => readonly Channel[], frameLimit: number) {
    this.#routes = routes
    this.#channels = channels
    this.#frameLimit = frameLimit
  }

  /**
   * The responders that may receive a request: addressed, and within the boundary of its type. Endpoints don't announce
   * that they answer reserved ones; those that don't, decline.
   */
  candidates(type: string, to: Audience | undefined): readonly Channel[] {
    const responders = isReserved(type) ? this.#channels() : this.#routes.responders(type)
    if (boundaryOf(type) === undefined && to === undefined) return responders
    return responders.filter((channel) => isEligible(type, channel, { to }))
  }

  /** @throws UnserializablePayload, PayloadTooLarge */
  encode(type: string, payload: unknown, headers: EventHeaders = NO_HEADERS): EncodedRequest {
    const id = ++this.#lastId
    const request = { kind: 'request', id, type, payload, ...headed(headers) } as const
    const frame = travelsByReference(type) ? referenceTo(request) : encodeMessage(request, this.#frameLimit)
    return { id, type, frame }
  }

  /**
   * Sends a request to the candidate with the fewest in flight from here. One that declines is not asked again. The same
   * request may be sent to several responders, but only once to each.
   */
  ask(request: EncodedRequest, spec: RequestSpec): PendingRequest {
    const pending = new PendingRequest(request, spec)
    this.#place(pending)
    return pending
  }

  onMessage(channel: Channel, message: MessageOf<'response' | 'failure' | 'decline'>): void {
    const pending = this.#inFlight.get(channel)?.get(message.id)
    // The request was cancelled meanwhile, or sent to another responder.
    if (!pending) return
    const origin = channel.identity.name
    switch (message.kind) {
      case 'response':
        return this.#settle(pending, { kind: 'response', origin, payload: message.payload })
      case 'failure': {
        const error = new RemoteError(`request ${pending.request.type} to ${origin} failed`, origin, message.error)
        return this.#settle(pending, { kind: 'failure', error })
      }
      case 'decline':
        pending.declined = new Set([...pending.declined, channel])
        this.#detach(pending)
        this.#place(pending)
        return this.#next(channel)
      default:
        return message satisfies never
    }
  }

  /** The channel is closed: requests in flight to it settle with `RemoteDisconnected`. */
  onClosed(channel: Channel): void {
    const inFlight = this.#inFlight.get(channel)?.values() ?? []
    this.#inFlight.delete(channel)
    this.#givenUp.delete(channel)
    const origin = channel.identity.name
    for (const pending of inFlight) {
      const text = `${origin} disconnected before it responded; it may or may not have handled the request`
      const error = new RemoteDisconnected(`request ${pending.request.type}: ${text}`)
      this.#settle(pending, { kind: 'failure', error })
    }
    this.retry()
  }

  /** Tries all waiting requests again, as a responder has become slower or faster. */
  retry(): void {
    for (const pending of this.#waiting.all) this.#place(pending)
  }

  /** An endpoint now responds to these types. A waiting request that it declined is retried only if it waits for a responder. */
  onResponders(channel: Channel, interests: readonly Interest[]): void {
    for (const type of typesOf(interests)) {
      for (const pending of this.#waiting.at(type)) {
        if (pending.waitsForResponder)
          pending.declined = new Set([...pending.declined].filter((each) => each !== channel))
        this.#place(pending)
      }
    }
  }

  /** A peer no longer responds to these types: what has not been sent to it yet goes to others. */
  onRespondersLeft(channel: Channel, interests: readonly Interest[]): void {
    const types = typesOf(interests)
    if (types.size === 0) return
    for (const pending of [...(this.#inFlight.get(channel)?.values() ?? [])]) {
      if (!types.has(pending.request.type) || !channel.outbox.cancelBulk(pending.request.frame)) continue
      this.#detach(pending)
      this.#place(pending)
    }
    for (const type of types) for (const pending of this.#waiting.at(type)) this.#place(pending)
  }

  /** There is room again for requests to a responder. */
  onBulkDrained(channel: Channel): void {
    this.#next(channel)
  }

  /** Sends waiting requests to a responder while it is below its limits. */
  #next(channel: Channel): void {
    for (const pending of this.#waiting.at(channel)) {
      if (!this.#isFree(channel)) return
      this.#place(pending)
    }
  }

  /** Sends the request, adds it to the waiting list, or settles it if no responder takes it. */
  #place(pending: PendingRequest): void {
    const { request, spec, declined } = pending
    const { type, frame, id } = request
    const candidates = this.#candidatesFor(pending)
    if (candidates.length === 0) {
      const refusing = spec.candidates().find((channel) => !declined.has(channel))
      if (!refusing && pending.waitsForResponder) return this.#waiting.join(pending, [type])
      const why = declined.size > 0 ? allDeclined(type) : noResponder(type, spec.to)
      const error = refusing ? misfitError(`request ${type}`, frame, refusing) : new NoSubscribers(why)
      return this.#settle(pending, { kind: 'failure', error })
    }
    const prompt = those(candidates, isPrompt)
    const free = those(prompt.length > 0 ? prompt : candidates, this.#isFree)
    const channel = this.#balancer.pick(free, this.#loadOf)
    if (!channel) return this.#waiting.join(pending, [type, ...candidates])
    channel.sendBulk(frame, spec.isOrdered)
    this.#waiting.leave(pending)
    pending.channel = channel
    const inFlight = this.#inFlight.get(channel) ?? new Map<number, PendingRequest>()
    this.#inFlight.set(channel, inFlight.set(id, pending))
  }

  /** Those that take its size, and have not declined it. */
  #candidatesFor({ request: { frame }, spec, declined }: PendingRequest): readonly Channel[] {
    const candidates = spec.candidates()
    for (const channel of candidates) {
      if (declined.has(channel) || !fits(channel, frame))
        return candidates.filter((channel) => !declined.has(channel) && fits(channel, frame))
    }
    return candidates
  }

  #settle(pending: PendingRequest, outcome: Outcome): void {
    const { channel } = pending
    this.#forget(pending)
    pending.spec.settle(outcome)
    if (channel) this.#next(channel)
  }

  /** The responder is told, and `settle` is not called any more. */
  cancel(pending: PendingRequest): void {
    const { channel, request } = pending
    if (pending.isOver) return
    this.#forget(pending)
    if (!channel) return
    // A request that has not left is taken back, so that one that never reads doesn't make us keep a cancel as well.
    if (!channel.outbox.cancelBulk(request.frame)) {
      channel.sendMessage({ kind: 'cancel', id: request.id })
      this.#givenUp.set(channel, { count: this.#givenUpTo(channel) + 1, heard: channel.heard })
    }
    this.#next(channel)
  }

  /** It no longer waits for a responder. Only this one: others would be tried as often as there are requests. */
  stopWaiting(pending: PendingRequest): void {
    pending.waitsForResponder = false
    if (!pending.isOver && !pending.channel) this.#place(pending)
  }

  #forget(pending: PendingRequest): void {
    pending.isOver = true
    this.#waiting.leave(pending)
    this.#detach(pending)
  }

  #detach(pending: PendingRequest): void {
    const { channel } = pending
    if (!channel) return
    this.#inFlight.get(channel)?.delete(pending.request.id)
    pending.channel = undefined
  }

  /** They count against a responder until it shows life, as it may be stopped. */
  #givenUpTo(channel: Channel): number {
    const entry = this.#givenUp.get(channel)
    return entry?.heard === channel.heard ? entry.count : 0
  }

  readonly #isFree = (channel: Channel): boolean => {
    return this.#countOf(channel) < channel.requestLimit && channel.outbox.acceptsBulk
  }

  readonly #loadOf = (channel: Channel): number => this.#countOf(channel) + this.#givenUpTo(channel)

  #countOf(channel: Channel): number {
    return this.#inFlight.get(channel)?.size ?? 0
  }
}

export function noResponder(type: string, to: Audience | undefined): string {
  return `request ${type}: ${noEndpoint(type, { to })} responds to it`
}

/** The items for which it holds: the same array if it holds for all, as it mostly does. */
function those<Item>(items: readonly Item[], holds: (item: Item) => boolean): readonly Item[] {
  return items.every(holds) ? items : items.filter(holds)
}

function isPrompt({ isUnresponsive, outbox }: Channel): boolean {
  return !isUnresponsive && !outbox.isLagging
}

function allDeclined(type: string): string {
  if (isReserved(type))
    return `request ${type}: every endpoint that was asked has declined it: its introspection is off, or it is too old to know it`
  return `request ${type}: every endpoint that responds to it has declined it, as it is closing or busy; try again later`
}

function typesOf(interests: readonly Interest[]): ReadonlySet<string> {
  return new Set(interests.map(({ type }) => type))
}
