import type { Channel } from '../channel/channel'
import { referenceTo, travelsByReference } from '../channel/reference'
import { type Announcer, Subscription } from '../events/subscription'
import type { TurnBudget } from '../events/turn-budget'
import type { OptionNames } from '../model/call-options'
import type { RequestSchemas } from '../model/definition'
import {
  AbortError,
  AlreadyResponding,
  handlerError,
  InvalidPayload,
  LahjaError,
  type RemoteFailure,
} from '../model/errors'
import { type Event, isThenable, type RequestHandler } from '../model/event'
import { NO_HEADERS } from '../model/headers'
import { validate } from '../model/schema'
import { asError, messageOf, textOf } from '../model/thrown'
import type { MessageOf } from '../wire/message'
import { IncomingRequest } from './incoming-request'
import type { RequestCounts } from './request-count'

export interface RespondOptions {
  /** Whether `RemoteError` carries the handler error's stack, besides its name, message and code. Default false. */
  readonly sendStack?: boolean | undefined
  /** Number of requests handled at a time, of all askers together; the others wait in order. Default: no limit. */
  readonly concurrency?: number | undefined
  /** Ends the responder. */
  readonly signal?: AbortSignal | undefined
}

export const RESPOND_OPTIONS: OptionNames<RespondOptions> = { sendStack: true, concurrency: true, signal: true }

export interface RespondersContext {
  readonly announcer: Announcer
  readonly report: (error: LahjaError) => void
  /** Reports an error that its asker is told too. */
  readonly reportToListeners: (error: LahjaError) => void
  /** Reports that a response can't be sent. An asker that takes too little can cause it as often as it likes. */
  readonly reportUnsent: (error: LahjaError) => void
  /** Called when no request is running any more. */
  readonly idle: () => void
  /** How often the endpoint's `close` has been called. */
  readonly closeCalls: () => number
  /** Maximum number of requests of one asker that wait or run at a time. */
  readonly limit: number
  readonly turn: TurnBudget
  readonly counts: RequestCounts
  /** Those that are always there, and that no peer is told of. */
  readonly services: readonly Service[]
}

/** How requests of one type are answered. */
export interface Service {
  readonly type: string
  readonly handler: RequestHandler<unknown, unknown>
  readonly schemas: RequestSchemas
  /** Whether askers get the stack of the handler's error. */
  readonly sendStack: boolean
  readonly concurrency: number
  readonly signal: AbortSignal | undefined
}

/** A request that waits for its handler or is being handled. The handler gets the event only. */
interface Job {
  readonly channel: Channel
  readonly id: number
  readonly event: IncomingRequest
  /** Whether a close waits for it. */
  isAwaited: boolean
}

/** A service, and the requests of it. */
interface Responder {
  readonly service: Service
  /** Requests that wait as its concurrency is used up, in order. */
  readonly waiting: Set<Job>
  isOpen: boolean
  /** Handlers that run, also those whose request was cancelled. */
  running: number
}

/** What runs for one endpoint, over all its links: a link that breaks ends no handler. */
interface Share {
  /** Handlers that run, also those whose request was cancelled. */
  running: number
  /** It as an asker, for each of its links. */
  readonly askers: Set<Asker>
}

/** The requests of one asker. */
interface Asker {
  readonly channel: Channel
  readonly share: Share
  /** Those that wait or run and are to be answered, by id. */
  readonly requests: Map<number, Job>
  /**
   * Requests that wait as the asker has too many running, or responses unread, or as handlers have had their time of the
   * turn, in order. They hold up no other asker.
   */
  readonly held: Set<Job>
}

/** The answering side of requests: each is handled once and answered once. */
export class Responders {
  readonly #context: RespondersContext
  readonly #responders = new Map<string, Responder>()
  readonly #open = new Set<Subscription>()
  readonly #askers = new Map<Channel, Asker>()
  /** By the id of an endpoint that is an asker, or for which a handler runs. */
  readonly #shares = new Map<string, Share>()
  /** Requests of all askers that are to be answered, and that a close waits for. */
  #count = 0
  /** Responders and requesters whose waiting requests may be able to start. */
  readonly #changed = new Set<Responder | Asker>()
  #isAdvancing = false
  /** Whether requests that wait are left to the next turn. */
  #isPaused = false

  constructor(context: RespondersContext) {
    this.#context = context
    for (const service of context.services) this.#responders.set(service.type, responderOf(service))
  }

  /** Whether a close need not wait for any request. */
  get isIdle(): boolean {
    return this.#count === 0
  }

  /** @throws AlreadyResponding */
  add(service: Service): Subscription {
    const { type, signal } = service
    if (this.#responders.has(type)) {
      throw new AlreadyResponding(`this endpoint already responds to ${type}; unsubscribe that responder first`)
    }
    const responder = responderOf(service)
    this.#responders.set(type, responder)
    const subscription: Subscription = new Subscription({
      interest: { type, responds: true },
      announcer: this.#context.announcer,
      signal,
      pending: () => this.#countOf(type),
      ended: () => {
        responder.isOpen = false
        this.#open.delete(subscription)
        const waiting = [...this.#askers.values()].flatMap(({ held }) =>
          [...held].filter(({ event }) => event.type === type),
        )
        for (const job of [...responder.waiting, ...waiting]) this.#decline(job)
        this.#responders.delete(type)
      },
    })
    this.#open.add(subscription)
    return subscription.announce()
  }

  onMessage(channel: Channel, message: MessageOf<'request' | 'cancel'>): void {
    if (message.kind === 'request') this.#receive(channel, message)
    else this.#cancel(this.#askers.get(channel)?.requests.get(message.id))
  }

  /** There is room again for responses to an asker. */
  onBulkDrained(channel: Channel): void {
    const asker = this.#askers.get(channel)
    if (asker) this.#advance(asker)
  }

  /** The channel is closed: no response can reach the asker any more. */
  onClosed(channel: Channel): void {
    const asker = this.#askers.get(channel)
    this.#askers.delete(channel)
    for (const job of asker?.requests.values() ?? []) {
      this.#stopWaitingFor(job)
      this.#responders.get(job.event.type)?.waiting.delete(job)
      job.event.abandon(new AbortError(`the asker ${channel.identity.name} disconnected`))
    }
    if (!asker) return
    asker.requests.clear()
    asker.held.clear()
    asker.share.askers.delete(asker)
    this.#forgetUnused(asker.share, channel)
  }

  /** Stops responding; running requests finish. */
  close(): void {
    for (const subscription of [...this.#open]) subscription.unsubscribe()
  }

  #receive(channel: Channel, { id, type, payload, headers = NO_HEADERS }: MessageOf<'request'>): void {
    const responder = this.#responders.get(type)
    const asker = this.#askerAt(channel)
    if (asker.requests.has(id)) return
    if (!responder || asker.requests.size >= this.#context.limit) {
      return void channel.sendMessage({ kind: 'decline', id })
    }
    const event = new IncomingRequest(type, payload, channel.identity.name, headers)
    const job: Job = { channel, id, event, isAwaited: true }
    asker.requests.set(id, job)
    this.#count++
    if (asker.held.size > 0) asker.held.add(job)
    else if (this.#count === 1 || !this.#isTimeOver(asker)) this.#place(job, responder, asker)
    else asker.held.add(job)
  }

  /** Kept as long as the channel, so that sequential requests don't create a map each. */
  #askerAt(channel: Channel): Asker {
    const known = this.#askers.get(channel)
    if (known) return known
    const { id } = channel.identity
    const share = this.#shares.get(id) ?? { running: 0, askers: new Set() }
    const asker: Asker = { channel, share, requests: new Map(), held: new Set() }
    this.#shares.set(id, share)
    share.askers.add(asker)
    this.#askers.set(channel, asker)
    return asker
  }

  #forgetUnused({ running, askers }: Share, { identity }: Channel): void {
    if (running === 0 && askers.size === 0) this.#shares.delete(identity.id)
  }

  /** Begins a request, or adds it to the list of what it has to wait for. */
  #place(job: Job, responder: Responder, asker: Asker): void {
    if (!this.#mayBegin(asker)) asker.held.add(job)
    else if (responder.running < responder.service.concurrency) this.#begin(job, responder, asker)
    else responder.waiting.add(job)
  }

  #mayBegin({ share, channel }: Asker): boolean {
    return share.running < this.#context.limit && channel.outbox.acceptsBulk
  }

  /** Begins what waits for these, as far as it may begin now. */
  #advance(...changed: readonly (Responder | Asker)[]): void {
    for (const each of changed) this.#changed.add(each)
    // A handler that ends at once must not begin the next from within.
    if (this.#isAdvancing) return
    this.#isAdvancing = true
    try {
      for (const each of this.#changed) {
        if (this.#isPaused) return
        this.#changed.delete(each)
        if ('held' in each) this.#advanceAsker(each)
        else this.#advanceResponder(each)
      }
    } finally {
      this.#isAdvancing = false
    }
  }

  #advanceAsker(asker: Asker): void {
    for (const job of asker.held) {
      if (!this.#mayBegin(asker) || this.#isTimeOver(asker)) return
      asker.held.delete(job)
      const responder = this.#responders.get(job.event.type)
      if (responder) this.#place(job, responder, asker)
    }
  }

  #advanceResponder(responder: Responder): void {
    for (const job of responder.waiting) {
      if (responder.running >= responder.service.concurrency || this.#isTimeOver(responder)) return
      responder.waiting.delete(job)
      const asker = this.#askers.get(job.channel)
      if (asker) this.#place(job, responder, asker)
    }
  }

  /** Whether the handlers have had their time of this turn: then what waits for this one begins in the next, behind others. */
  #isTimeOver(waitedFor: Responder | Asker): boolean {
    const { turn } = this.#context
    if (!this.#isPaused && !turn.isHandlingTimeOver()) return false
    this.#changed.add(waitedFor)
    if (this.#isPaused) return true
    this.#isPaused = true
    turn.handleLater(() => {
      this.#isPaused = false
      this.#advance()
    })
    return true
  }

  #begin(job: Job, responder: Responder, asker: Asker): void {
    responder.running++
    asker.share.running++
    this.#context.counts.of(job.event.type).handled++
    const callsBefore = this.#context.closeCalls()
    const answer = answerOf(responder, job.event)
    // A handler that has called `close` may wait for it, so it can't be waited for.
    if ('then' in answer && this.#context.closeCalls() !== callsBefore) this.#stopWaitingFor(job)
    if ('then' in answer) void answer.then((answer) => this.#end(job, responder, asker, answer))
    else this.#end(job, responder, asker, answer)
  }

  #end(job: Job, responder: Responder, asker: Asker, answer: Answer): void {
    responder.running--
    asker.share.running--
    // After a cancel the asker may have used the id again.
    const isAnswered = asker.requests.get(job.id) === job
    if (isAnswered) {
      this.#finish(job, asker)
      this.#send(job, answer)
    }
    if (answer.kind === 'failure' && !isAbort(answer.thrown)) {
      this.#context.counts.of(job.event.type).handlerFailed++
      if (isAnswered) this.#context.reportToListeners(answer.error)
      else this.#context.report(answer.error)
    }
    if (responder.waiting.size > 0) this.#advance(responder)
    for (const each of asker.share.askers) if (each.held.size > 0) this.#advance(each)
    this.#forgetUnused(asker.share, job.channel)
  }

  /** The request is no longer to be answered. */
  #finish(job: Job, asker = this.#askers.get(job.channel)): void {
    if (asker?.requests.delete(job.id)) this.#stopWaitingFor(job)
  }

  #stopWaitingFor(job: Job): void {
    if (!job.isAwaited) return
    job.isAwaited = false
    this.#count--
    if (this.isIdle) this.#context.idle()
  }

  #cancel(job: Job | undefined): void {
    if (!job) return
    this.#forget(job)
    job.event.abandon(new AbortError('the asker cancelled the request'))
  }

  #decline(job: Job): void {
    this.#forget(job)
    job.channel.sendMessage({ kind: 'decline', id: job.id })
  }

  #forget(job: Job): void {
    this.#responders.get(job.event.type)?.waiting.delete(job)
    this.#askers.get(job.channel)?.held.delete(job)
    this.#finish(job)
  }

  #send(job: Job, answer: Answer): void {
    const { channel, id } = job
    try {
      const reply = replyOf(id, answer)
      const isReference = channel.isOwn && reply.kind === 'response' && travelsByReference(answer.service.type)
      if (isReference) channel.sendBulk(referenceTo(reply))
      else channel.sendMessage(reply)
    } catch (thrown) {
      const { name, message, code } = failureOf(thrown, false)
      this.#context.reportUnsent(unsentError(job.event, thrown))
      channel.sendMessage({
        kind: 'failure',
        id,
        error: { name: clip(name), message: clip(message), code: code && clip(code) },
      })
    }
  }

  #countOf(type: string): number {
    let count = 0
    for (const { requests } of this.#askers.values()) {
      for (const { event } of requests.values()) if (event.type === type) count++
    }
    return count
  }
}

function responderOf(service: Service): Responder {
  return { service, waiting: new Set(), isOpen: true, running: 0 }
}

type Answer = { readonly service: Service } & (
  | { readonly kind: 'decline' }
  | { readonly kind: 'response'; readonly payload: unknown }
  /** `thrown` is what the asker is told of, `error` is reported here. */
  | { readonly kind: 'failure'; readonly thrown: unknown; readonly error: LahjaError }
)

/** Not a promise if the handler is synchronous, so that the answer is sent in the same turn. */
function answerOf(responder: Responder, request: IncomingRequest): Answer | Promise<Answer> {
  const { service } = responder
  const { type, schemas, handler } = service
  const { payload, origin } = request
  try {
    if (schemas.request) request.payload = validate(schemas.request, payload, `request ${type} from ${origin}`)
  } catch (thrown) {
    return mismatch(service, request, thrown)
  }
  // By its schema.
  if (!responder.isOpen) return { kind: 'decline', service }
  try {
    const response = handler(request)
    return isThenable(response) ? laterAnswerOf(service, response, request) : responseOf(service, response, request)
  } catch (thrown) {
    return failureAnswer(service, thrown, request)
  }
}

/** Not by methods of the promise, which may be others. */
async function laterAnswerOf(
  service: Service,
  response: PromiseLike<unknown>,
  request: IncomingRequest,
): Promise<Answer> {
  try {
    return responseOf(service, await response, request)
  } catch (thrown) {
    return failureAnswer(service, thrown, request)
  }
}

/** It may be an error of this package that the handler got from a call of its own: it is never taken for one of ours. */
function failureAnswer(service: Service, thrown: unknown, request: IncomingRequest): Answer {
  return { kind: 'failure', service, thrown, error: failedOn(request, thrown) }
}

/** Validates only: the asker applies the schema's conversions. */
function responseOf(service: Service, payload: unknown, request: IncomingRequest): Answer {
  const { type, schemas } = service
  try {
    if (schemas.response) validate(schemas.response, payload, `response to ${type} for ${request.origin}`)
  } catch (thrown) {
    return mismatch(service, request, thrown)
  }
  return { kind: 'response', service, payload }
}

/** A request or response doesn't fit its schema. */
function mismatch(service: Service, request: IncomingRequest, thrown: unknown): Answer {
  if (!(thrown instanceof InvalidPayload)) throw thrown
  thrown.event = eventOf(request)
  return { kind: 'failure', service, thrown, error: thrown }
}

function replyOf(id: number, answer: Answer): MessageOf<'response' | 'failure' | 'decline'> {
  const { kind, service } = answer
  if (kind === 'decline') return { kind, id }
  if (kind === 'response') return { kind, id, payload: answer.payload }
  return { kind, id, error: failureOf(answer.thrown, service.sendStack) }
}

/** The parts of an error that are sent to the asker. */
function failureOf(thrown: unknown, withStack: boolean): RemoteFailure {
  const error = asError(thrown)
  const code = textOf(() => ('code' in error && ['string', 'number'].includes(typeof error.code) ? error.code : ''))
  const stack = withStack ? textOf(() => error.stack ?? '') : ''
  return {
    name: textOf(() => error.name),
    message: messageOf(error),
    code: code || undefined,
    stack: stack || undefined,
  }
}

/** Short enough for a frame of any peer. */
function clip(text: string): string {
  return text.slice(0, 300)
}

function failedOn(request: IncomingRequest, thrown: unknown): LahjaError {
  const { type, origin } = request
  return handlerError(`a responder to ${type} failed on a request from ${origin}`, thrown, eventOf(request))
}

function eventOf({ type, payload, origin, headers }: IncomingRequest): Event {
  return { type, payload, origin, headers }
}

/** The error of a response that can't be sent. */
function unsentError(request: IncomingRequest, thrown: unknown): LahjaError {
  if (!(thrown instanceof LahjaError)) return failedOn(request, thrown)
  const { type, origin } = request
  thrown.message = `the response to ${type} for ${origin}: ${thrown.message.replace(/^response: /, '')}`
  return thrown
}

/** Whether a handler gave up, as its request was cancelled. */
function isAbort(thrown: unknown): boolean {
  const error = asError(thrown)
  return textOf(() => error.name) === 'AbortError'
}
