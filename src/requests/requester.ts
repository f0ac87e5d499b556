import { StreamBuffer } from '../events/stream-buffer'
import { type Audience, checkAudience } from '../model/audience'
import type { RequestSchemas } from '../model/definition'
import { InvalidPayload, LahjaError, NoSubscribers, RequestTimeout, UnexpectedResponse } from '../model/errors'
import { validate } from '../model/schema'
import type { Waits } from '../platform/waits'
import type { Outcome, PendingRequests } from './pending-requests'
import { type Reply, ReplyStream } from './reply-stream'

/** Milliseconds that a request waits for its response, unless it says otherwise. */
const DEFAULT_TIMEOUT = 30_000

export interface RequestOptions {
  /** Only to these: a name, an array of names, or `{ group }`. Default: everyone who responds. */
  readonly to?: Audience | undefined
  /** Milliseconds until it rejects with `RequestTimeout`. Default 30,000; `Infinity` waits as long as it takes. */
  readonly timeout?: number
  /** Gives it up, with `AbortError`; the responder is told. */
  readonly signal?: AbortSignal | undefined
}

/** A request, as far as it is the same for one responder and for all. */
interface Question {
  readonly type: string
  readonly schemas: RequestSchemas
  readonly payload: unknown
}

/** The asking side of requests: what is sent fits its schema, and everything ends, however it ends. */
export class Requester {
  readonly #requests: PendingRequests
  readonly #waits: Waits

  constructor(requests: PendingRequests, waits: Waits) {
    this.#requests = requests
    this.#waits = waits
  }

  /** @throws InvalidPayload, InvalidArgument */
  request(question: Question, { to, timeout = DEFAULT_TIMEOUT, signal }: RequestOptions): Promise<unknown> {
    const { type, payload } = question
    checkRequest(question, to)
    const candidates = () => this.#requests.candidates(type, to)
    return this.#waits.wait<unknown>(`request ${type}`, { timeout, signal, timedOut }, ({ resolve, reject }) => {
      return this.#requests.ask(type, payload, candidates, (outcome) => {
        const { error, payload } = replyOf(question, outcome)
        if (error) reject(error)
        else resolve(payload)
      })
    })
  }

  /** @throws InvalidPayload */
  requestAll(question: Question, { to, timeout = DEFAULT_TIMEOUT, signal }: RequestOptions): ReplyStream<unknown> {
    const { type, payload } = question
    checkRequest(question, to)
    const inbox = new StreamBuffer<Reply<unknown>>()
    let giveUp = () => {}
    const candidates = () => this.#requests.candidates(type, to)
    const channels = candidates()
    const missing = new Set(channels)
    if (channels.length === 0) {
      inbox.fail(new NoSubscribers(`request ${type}: expected a responder, got none among those it is meant for`))
      return new ReplyStream(inbox, giveUp)
    }
    const waiting = this.#waits.wait<void>(`request ${type}`, { timeout, signal, timedOut }, ({ resolve }) => {
      giveUp = resolve
      const ends = channels.map((channel) => {
        const origin = channel.identity.name
        const settle = (reply: Reply<unknown>) => {
          missing.delete(channel)
          // Whoever declines does not respond any more.
          if (!(reply.error instanceof NoSubscribers)) inbox.push(reply)
          if (missing.size === 0) resolve()
        }
        const only = () => candidates().filter((candidate) => candidate === channel)
        try {
          return this.#requests.ask(type, payload, only, (outcome) => settle(replyOf(question, outcome)))
        } catch (error) {
          if (!(error instanceof LahjaError)) throw error
          settle({ origin, error })
          return () => {}
        }
      })
      return () => {
        for (const end of ends) end()
      }
    })
    waiting.then(
      () => inbox.end(),
      (error: LahjaError) => {
        if (!(error instanceof RequestTimeout)) return inbox.fail(error)
        for (const { identity } of missing) inbox.push({ origin: identity.name, error })
        inbox.end()
      },
    )
    return new ReplyStream(inbox, () => giveUp())
  }
}

function checkRequest({ type, schemas, payload }: Question, to: Audience | undefined): void {
  if (to !== undefined) checkAudience('to', to)
  if (schemas.request) validate(schemas.request, payload, `request ${type}`)
}

function replyOf({ type, schemas }: Question, outcome: Outcome): Reply<unknown> {
  const { origin } = outcome
  if (outcome.kind === 'failure') return { origin, error: outcome.error }
  if (!schemas.response) return { origin, payload: outcome.payload }
  try {
    return { origin, payload: validate(schemas.response, outcome.payload, `response to ${type} from ${origin}`) }
  } catch (error) {
    if (!(error instanceof InvalidPayload)) throw error
    return { origin, error: new UnexpectedResponse(error.message, { cause: error }) }
  }
}

function timedOut(message: string): LahjaError {
  return new RequestTimeout(message)
}
