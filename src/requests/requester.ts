import type { Channel } from '../channel/channel'
import { StreamBuffer } from '../events/stream-buffer'
import type { TurnBudget } from '../events/turn-budget'
import { type Audience, checkAudience, copyAudience } from '../model/audience'
import { checkBoolean, type OptionNames } from '../model/call-options'
import type { RequestSchemas } from '../model/definition'
import { InvalidPayload, type LahjaError, NoSubscribers, RequestTimeout, UnexpectedResponse } from '../model/errors'
import type { EventHeaders } from '../model/event'
import { validate } from '../model/schema'
import { type Clock, judgeAfter, type Timer } from '../platform/clock'
import { checkTimeout, Wait, type Waits } from '../platform/waits'
import {
  noResponder,
  type Outcome,
  type PendingRequest,
  type PendingRequests,
  type RequestSpec,
} from './pending-requests'
import { type Reply, ReplyStream } from './reply-stream'
import type { RequestCount, RequestCounts } from './request-count'

/** Milliseconds that a request waits for its response by default. */
const DEFAULT_TIMEOUT = 30_000

export interface RequestOptions {
  /** Only responders at these endpoints: a name, an array of names, or `{ group }`. Default: every responder. */
  readonly to?: Audience | undefined
  /** Milliseconds until it rejects with `RequestTimeout`; `Infinity` for no limit. Default 30,000. */
  readonly timeout?: number | undefined
  /**
   * Whether it travels behind the events that this endpoint has broadcast to its responder before. Otherwise it goes
   * ahead of those that are queued. Default false.
   */
  readonly ordered?: boolean | undefined
  /** Milliseconds to wait for a responder if there is none; they count towards `timeout`. Default 0. */
  readonly wait?: number | undefined
  /**
   * Texts for its responder beside the payload, as `event.headers`. Names are 1 to 64 of `a-z 0-9 . _ -`, beginning with a
   * letter or a digit; 4,096 bytes in all.
   */
  readonly headers?: EventHeaders | undefined
  /** Cancels the request with `AbortError`, and aborts the `signal` of its responder. */
  readonly signal?: AbortSignal | undefined
}

export const REQUEST_OPTIONS: OptionNames<RequestOptions> = {
  to: true,
  timeout: true,
  ordered: true,
  wait: true,
  headers: true,
  signal: true,
}

export interface RequestAllOptions {
  /** Only responders at these endpoints: a name, an array of names, or `{ group }`. Default: every responder. */
  readonly to?: Audience | undefined
  /**
   * Milliseconds until each responder that hasn't answered has the reply `{ origin, error: RequestTimeout }`; `Infinity` for
   * no limit. Default 30,000.
   */
  readonly timeout?: number | undefined
  /**
   * Whether the requests travel behind the events that this endpoint has broadcast to their responders before. Otherwise
   * they go ahead of those that are queued. Default false.
   */
  readonly ordered?: boolean | undefined
  /**
   * Texts for its responders beside the payload, as `event.headers`. Names are 1 to 64 of `a-z 0-9 . _ -`, beginning with a
   * letter or a digit; 4,096 bytes in all.
   */
  readonly headers?: EventHeaders | undefined
  /** Cancels the requests that have no reply yet, and aborts the `signal` of their responders. Reading throws `AbortError`. */
  readonly signal?: AbortSignal | undefined
}

export const REQUEST_ALL_OPTIONS: OptionNames<RequestAllOptions> = {
  to: true,
  timeout: true,
  ordered: true,
  headers: true,
  signal: true,
}

/** A request to one responder or to all. */
interface OutgoingRequest {
  readonly type: string
  readonly schemas: RequestSchemas
  readonly payload: unknown
  readonly headers: EventHeaders
}

/** A request to one responder, until it is answered. One object, as there is one for each request. */
class RequestCall extends Wait<unknown> implements RequestSpec {
  readonly to: Audience | undefined
  readonly isOrdered: boolean
  readonly waitsForResponder: boolean
  readonly #outgoing: OutgoingRequest
  readonly #requests: PendingRequests
  readonly #clock: Clock
  readonly #count: RequestCount
  readonly #began: number
  #isCounted = false
  #pending: PendingRequest | undefined
  /** Until it waits for a responder no longer. */
  #timer: Timer | undefined

  constructor(
    outgoing: OutgoingRequest,
    requests: PendingRequests,
    to: Audience | undefined,
    isOrdered: boolean,
    waitsForResponder: boolean,
    clock: Clock,
    count: RequestCount,
  ) {
    super()
    this.#outgoing = outgoing
    this.#requests = requests
    this.#clock = clock
    this.#count = count
    this.#began = clock.now()
    this.to = to
    this.isOrdered = isOrdered
    this.waitsForResponder = waitsForResponder
  }

  get what(): string {
    return `request ${this.#outgoing.type}`
  }

  /** @throws UnserializablePayload, PayloadTooLarge */
  ask(): void {
    const { type, payload, headers } = this.#outgoing
    const request = this.#requests.encode(type, payload, headers)
    this.#count.asked++
    // The payload may have aborted it, by a getter.
    if (!this.isOver) this.#pending = this.#requests.ask(request, this)
  }

  /** It may have been settled at once. */
  waitFor(timer: Timer): void {
    if (this.isOver) timer.cancel()
    else this.#timer = timer
  }

  stopWaiting(): void {
    if (this.#pending) this.#requests.stopWaiting(this.#pending)
  }

  candidates(): readonly Channel[] {
    return this.#requests.candidates(this.#outgoing.type, this.to)
  }

  settle(outcome: Outcome): void {
    const { error, payload } = answerOf(this.#outgoing, outcome)
    this.#isCounted = true
    if (error) {
      this.#count.failed++
      return this.reject(error)
    }
    this.#count.answered++
    this.#count.latency.add(this.#clock.now() - this.#began)
    this.resolve(payload)
  }

  protected override timedOut(message: string): LahjaError {
    this.#isCounted = true
    this.#count.timedOut++
    return timedOut(message)
  }

  protected override onOver(): void {
    if (this.#pending && !this.#isCounted) this.#count.aborted++
    this.#timer?.cancel()
    if (this.#pending) this.#requests.cancel(this.#pending)
  }
}

/** The asking side of requests: validates payloads and responses, and settles every request once. */
export class Requester {
  readonly #requests: PendingRequests
  readonly #waits: Waits
  readonly #turn: TurnBudget
  readonly #clock: Clock
  readonly #counts: RequestCounts

  constructor(requests: PendingRequests, waits: Waits, turn: TurnBudget, clock: Clock, counts: RequestCounts) {
    this.#requests = requests
    this.#counts = counts
    this.#waits = waits
    this.#turn = turn
    this.#clock = clock
  }

  /** @throws InvalidPayload, InvalidArgument */
  request(outgoing: OutgoingRequest, options: RequestOptions): Promise<unknown> {
    const { timeout = DEFAULT_TIMEOUT, ordered: isOrdered = false, wait = 0, signal } = options
    const to = checkRequest(outgoing, options)
    checkTimeout(wait, 'wait')
    const call = new RequestCall(
      outgoing,
      this.#requests,
      to,
      isOrdered,
      wait > 0,
      this.#clock,
      this.#counts.of(outgoing.type),
    )
    return this.#waits.begin(call, { timeout, signal }, () => {
      call.ask()
      // After `timeout` it ends anyway.
      if (wait > 0 && wait < timeout) call.waitFor(judgeAfter(this.#clock, wait, () => call.stopWaiting(), true))
    })
  }

  /** @throws InvalidPayload, UnserializablePayload, PayloadTooLarge, InvalidArgument */
  requestAll(outgoing: OutgoingRequest, options: RequestAllOptions): ReplyStream<unknown> {
    const { type, payload, headers } = outgoing
    const { timeout = DEFAULT_TIMEOUT, ordered: isOrdered = false, signal } = options
    const to = checkRequest(outgoing, options)
    const request = this.#requests.encode(type, payload, headers)
    const buffer = new StreamBuffer<Reply<unknown>>()
    let cancel = () => {}
    const candidates = () => this.#requests.candidates(type, to)
    const channels = candidates()
    const missing = new Set(channels)
    const count = this.#counts.of(type)
    const began = this.#clock.now()
    if (missing.size === 0) {
      buffer.fail(new NoSubscribers(noResponder(type, to)), this.#turn.spendCall())
      return new ReplyStream(buffer, cancel)
    }
    const waiting = this.#waits.wait<void>(`request ${type}`, { timeout, signal, timedOut }, (waiter) => {
      const resolve = () => waiter.resolve()
      cancel = resolve
      const asked = channels.map((channel) => {
        const origin = channel.identity.name
        const only = () => candidates().filter((candidate) => candidate === channel)
        const onReply = (reply: Reply<unknown>) => {
          missing.delete(channel)
          // A responder that has unsubscribed is none: it has no reply. One that is busy or gone has.
          const isNone = reply.error instanceof NoSubscribers && !channel.outbox.isClosed && only().length === 0
          if (!isNone) buffer.push(reply)
          if (missing.size === 0) resolve()
        }
        const settle = (outcome: Outcome) => {
          const answer = answerOf(outgoing, outcome)
          if (answer.error) count.failed++
          else {
            count.answered++
            count.latency.add(this.#clock.now() - began)
          }
          onReply({ origin, ...answer })
        }
        count.asked++
        const spec = { to: origin, isOrdered, candidates: only, waitsForResponder: false, settle }
        return this.#requests.ask(request, spec)
      })
      return () => {
        for (const pending of asked) this.#requests.cancel(pending)
      }
    })
    waiting.then(
      () => {
        // Nobody reads it any more.
        count.aborted += missing.size
        buffer.end()
      },
      (error: LahjaError) => {
        const isTimeout = error instanceof RequestTimeout
        if (isTimeout) count.timedOut += missing.size
        else count.aborted += missing.size
        if (!isTimeout) return buffer.fail(error)
        for (const { identity } of missing) buffer.push({ origin: identity.name, error })
        buffer.end()
      },
    )
    return new ReplyStream(buffer, () => cancel())
  }
}

/** Returns its audience, which later changes to the option don't reach. @throws InvalidPayload, InvalidArgument */
function checkRequest(
  { type, schemas, payload }: OutgoingRequest,
  { to, ordered, timeout }: RequestOptions,
): Audience | undefined {
  checkTimeout(timeout)
  checkBoolean('ordered', ordered)
  if (to !== undefined) checkAudience('to', to)
  const audience = to === undefined || typeof to === 'string' ? to : copyAudience(to)
  if (schemas.request) validate(schemas.request, payload, `request ${type}`)
  return audience
}

/** What the responder has answered, or why it has not. */
type Answer =
  | { readonly payload: unknown; readonly error?: undefined }
  | { readonly payload?: undefined; readonly error: LahjaError }

function answerOf({ type, schemas }: OutgoingRequest, outcome: Outcome): Answer {
  if (outcome.kind === 'failure') return { error: outcome.error }
  const { origin, payload } = outcome
  if (!schemas.response) return { payload }
  try {
    return { payload: validate(schemas.response, payload, `response to ${type} from ${origin}`) }
  } catch (error) {
    if (!(error instanceof InvalidPayload)) throw error
    return { error: new UnexpectedResponse(error.message, { cause: error }) }
  }
}

function timedOut(message: string): LahjaError {
  return new RequestTimeout(message)
}
