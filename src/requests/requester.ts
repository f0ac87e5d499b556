import { StreamBuffer } from '../events/stream-buffer'
import type { TurnBudget } from '../events/turn-budget'
import { type Audience, checkAudience } from '../model/audience'
import { checkBoolean, type OptionNames } from '../model/call-options'
import type { RequestSchemas } from '../model/definition'
import { InvalidPayload, LahjaError, NoSubscribers, RequestTimeout, UnexpectedResponse } from '../model/errors'
import { validate } from '../model/schema'
import { type Clock, judgeAfter } from '../platform/clock'
import { checkTimeout, type Waits } from '../platform/waits'
import { noResponder, type Outcome, type PendingRequests } from './pending-requests'
import { type Reply, ReplyStream } from './reply-stream'

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
  /** Cancels the request with `AbortError`, and aborts the `signal` of its responder. */
  readonly signal?: AbortSignal | undefined
}

export const REQUEST_OPTIONS: OptionNames<RequestOptions> = {
  to: true,
  timeout: true,
  ordered: true,
  wait: true,
  signal: true,
}

/** The options of `requestAll`. */
export type RequestAllOptions = Omit<RequestOptions, 'wait'>

export const REQUEST_ALL_OPTIONS: OptionNames<RequestAllOptions> = {
  to: true,
  timeout: true,
  ordered: true,
  signal: true,
}

/** A request to one responder or to all. */
interface OutgoingRequest {
  readonly type: string
  readonly schemas: RequestSchemas
  readonly payload: unknown
}

/** The asking side of requests: validates payloads and responses, and settles every request once. */
export class Requester {
  readonly #requests: PendingRequests
  readonly #waits: Waits
  readonly #turn: TurnBudget
  readonly #clock: Clock

  constructor(requests: PendingRequests, waits: Waits, turn: TurnBudget, clock: Clock) {
    this.#requests = requests
    this.#waits = waits
    this.#turn = turn
    this.#clock = clock
  }

  /** @throws InvalidPayload, InvalidArgument */
  request(outgoing: OutgoingRequest, options: RequestOptions): Promise<unknown> {
    const { type, payload } = outgoing
    const { to, timeout = DEFAULT_TIMEOUT, ordered: isOrdered = false, wait = 0, signal } = options
    checkRequest(outgoing, options)
    checkTimeout(wait, 'wait')
    const candidates = () => this.#requests.candidates(type, to)
    return this.#waits.wait<unknown>(`request ${type}`, { timeout, signal, timedOut }, (waiter) => {
      const settle = (outcome: Outcome) => {
        const { error, payload } = answerOf(outgoing, outcome)
        if (error) waiter.reject(error)
        else waiter.resolve(payload)
      }
      const handle = this.#requests.ask({
        type,
        payload,
        to,
        isOrdered,
        candidates,
        waitsForResponder: wait > 0,
        settle,
      })
      const timer = wait > 0 && wait < timeout ? judgeAfter(this.#clock, wait, handle.stopWaiting, true) : undefined
      return () => {
        timer?.cancel()
        handle.cancel()
      }
    })
  }

  /** @throws InvalidPayload */
  requestAll(outgoing: OutgoingRequest, options: RequestAllOptions): ReplyStream<unknown> {
    const { type, payload } = outgoing
    const { to, timeout = DEFAULT_TIMEOUT, ordered: isOrdered = false, signal } = options
    checkRequest(outgoing, options)
    const buffer = new StreamBuffer<Reply<unknown>>()
    let cancel = () => {}
    const candidates = () => this.#requests.candidates(type, to)
    const channels = candidates()
    const missing = new Set(channels)
    if (missing.size === 0) {
      buffer.fail(new NoSubscribers(noResponder(type, to)), this.#turn.spendCall())
      return new ReplyStream(buffer, cancel)
    }
    const waiting = this.#waits.wait<void>(`request ${type}`, { timeout, signal, timedOut }, (waiter) => {
      const resolve = () => waiter.resolve()
      cancel = resolve
      const ends = channels.map((channel) => {
        const origin = channel.identity.name
        const onReply = (reply: Reply<unknown>) => {
          missing.delete(channel)
          // A responder that declined no longer responds to the type: it has no reply.
          if (!(reply.error instanceof NoSubscribers)) buffer.push(reply)
          if (missing.size === 0) resolve()
        }
        const only = () => candidates().filter((candidate) => candidate === channel)
        const settle = (outcome: Outcome) => onReply({ origin, ...answerOf(outgoing, outcome) })
        try {
          return this.#requests.ask({ type, payload, isOrdered, candidates: only, waitsForResponder: false, settle })
            .cancel
        } catch (error) {
          if (!(error instanceof LahjaError)) throw error
          onReply({ origin, error })
          return () => {}
        }
      })
      return () => {
        for (const end of ends) end()
      }
    })
    waiting.then(
      () => buffer.end(),
      (error: LahjaError) => {
        if (!(error instanceof RequestTimeout)) return buffer.fail(error)
        for (const { identity } of missing) buffer.push({ origin: identity.name, error })
        buffer.end()
      },
    )
    return new ReplyStream(buffer, () => cancel())
  }
}

function checkRequest({ type, schemas, payload }: OutgoingRequest, { to, ordered, timeout }: RequestOptions): void {
  checkTimeout(timeout)
  checkBoolean('ordered', ordered)
  if (to !== undefined) checkAudience('to', to)
  if (schemas.request) validate(schemas.request, payload, `request ${type}`)
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
