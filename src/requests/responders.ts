import type { Channel } from '../channel/channel'
import { type Announcer, Subscription } from '../events/subscription'
import type { OptionNames } from '../model/call-options'
import type { RequestSchemas } from '../model/definition'
import {
  AbortError,
  AlreadyResponding,
  asError,
  handlerError,
  LahjaError,
  messageOf,
  type RemoteFailure,
  textOf,
} from '../model/errors'
import { isThenable, type RequestHandler } from '../model/event'
import { validate } from '../model/schema'
import type { ChannelMessage, MessageOf } from '../wire/message'
import { IncomingRequest } from './incoming-request'

export interface RespondOptions {
  /** Whether `RemoteError` carries the handler error's stack, besides its name, message and code. Default false. */
  readonly sendStack?: boolean | undefined
  /** Ends the responder. */
  readonly signal?: AbortSignal | undefined
}

export const RESPOND_OPTIONS: OptionNames<RespondOptions> = { sendStack: true, signal: true }

export interface RespondersContext {
  readonly announcer: Announcer
  readonly report: (error: LahjaError) => void
  /** Called when no request is running any more. */
  readonly idle: () => void
  /** Maximum number of requests of one asker that run at a time. */
  readonly limit: number
}

/** How requests of one type are answered. */
export interface Service {
  readonly type: string
  readonly handler: RequestHandler<unknown, unknown>
  readonly schemas: RequestSchemas
  /** Whether askers get the stack of the handler's error. */
  readonly sendStack: boolean
  readonly signal: AbortSignal | undefined
}

/** The answering side of requests: each is handled once and answered once. */
export class Responders {
  readonly #context: RespondersContext
  readonly #services = new Map<string, Service>()
  readonly #open = new Set<Subscription>()
  readonly #running = new Map<Channel, Map<number, IncomingRequest>>()
  /** Running requests of all askers. */
  #count = 0

  constructor(context: RespondersContext) {
    this.#context = context
  }

  /** Whether no request is running. */
  get isIdle(): boolean {
    return this.#count === 0
  }

  /** @throws AlreadyResponding */
  add(service: Service): Subscription {
    const { type, signal } = service
    if (this.#services.has(type)) {
      throw new AlreadyResponding(`this endpoint already responds to ${type}; unsubscribe that responder first`)
    }
    this.#services.set(type, service)
    const subscription: Subscription = new Subscription({
      interest: { type, responds: true },
      announcer: this.#context.announcer,
      signal,
      pending: () => this.#countOf(type),
      ended: () => {
        this.#services.delete(type)
        this.#open.delete(subscription)
      },
    })
    this.#open.add(subscription)
    return subscription.announce()
  }

  onMessage(channel: Channel, message: MessageOf<'request' | 'cancel'>): void {
    if (message.kind === 'request') this.#handle(channel, message)
    else this.#finish(channel, message.id)?.abandon(new AbortError('the asker cancelled the request'))
  }

  /** The channel is closed: no response can reach the asker any more. */
  onClosed(channel: Channel): void {
    const running = this.#running.get(channel)
    this.#running.delete(channel)
    this.#count -= running?.size ?? 0
    for (const request of running?.values() ?? []) {
      request.abandon(new AbortError(`the asker ${channel.identity.name} disconnected`))
    }
    if (this.isIdle) this.#context.idle()
  }

  /** Stops responding; running requests finish. Returns whether there was a responder. */
  close(): boolean {
    const open = [...this.#open]
    for (const subscription of open) subscription.unsubscribe()
    return open.length > 0
  }

  #handle(channel: Channel, { id, type, payload }: MessageOf<'request'>): void {
    const service = this.#services.get(type)
    const running = this.#runningFor(channel)
    if (running.has(id)) return
    if (!service || running.size >= this.#context.limit) return void channel.sendControl({ kind: 'decline', id })
    const request = new IncomingRequest(type, payload, channel.identity.name)
    running.set(id, request)
    this.#count++
    const answer = answerOf(service, request)
    if ('then' in answer) void answer.then((answer) => this.#answer(channel, id, request, answer))
    else this.#answer(channel, id, request, answer)
  }

  /** Kept as long as the channel, so that sequential requests don't create a map each. */
  #runningFor(channel: Channel): Map<number, IncomingRequest> {
    const known = this.#running.get(channel)
    if (known) return known
    const running = new Map<number, IncomingRequest>()
    this.#running.set(channel, running)
    return running
  }

  #answer(channel: Channel, id: number, request: IncomingRequest, answer: Answer): void {
    // After a cancel the asker may have used the id again.
    if (this.#running.get(channel)?.get(id) === request) {
      this.#finish(channel, id)
      this.#send(channel, id, answer)
    } else if (answer.kind === 'failure' && !isAbort(answer.thrown)) this.#report(request.type, answer.thrown)
  }

  /** Ends the request with this id, if it is running. */
  #finish(channel: Channel, id: number): IncomingRequest | undefined {
    const running = this.#running.get(channel)
    const request = running?.get(id)
    if (running?.delete(id)) this.#count--
    if (this.isIdle) this.#context.idle()
    return request
  }

  #send(channel: Channel, id: number, answer: Answer): void {
    const { service } = answer
    try {
      channel.sendControl(replyOf(id, answer))
    } catch (thrown) {
      this.#report(service.type, thrown)
      const { name, message, code } = failureOf(thrown, false)
      channel.sendControl({
        kind: 'failure',
        id,
        error: { name: clip(name), message: clip(message), code: code && clip(code) },
      })
    }
  }

  #countOf(type: string): number {
    let count = 0
    for (const requests of this.#running.values()) {
      for (const request of requests.values()) if (request.type === type) count++
    }
    return count
  }

  #report(type: string, thrown: unknown): void {
    const failure = handlerError(`a responder to ${type} failed`, thrown)
    this.#context.report(thrown instanceof LahjaError ? thrown : failure)
  }
}

type Answer = { readonly service: Service } & (
  | { readonly kind: 'response'; readonly payload: unknown }
  | { readonly kind: 'failure'; readonly thrown: unknown }
)

/** Not a promise if the handler is synchronous, so that the answer is sent in the same turn. */
function answerOf(service: Service, request: IncomingRequest): Answer | Promise<Answer> {
  const { type, schemas, handler } = service
  const fail = (thrown: unknown): Answer => ({ kind: 'failure', service, thrown })
  try {
    const { payload, origin } = request
    if (schemas.request) request.payload = validate(schemas.request, payload, `request ${type} from ${origin}`)
    const response = handler(request)
    if (!isThenable(response)) return responseOf(service, response)
    return Promise.resolve(response)
      .then((response) => responseOf(service, response))
      .catch(fail)
  } catch (thrown) {
    return fail(thrown)
  }
}

/** Validates only: the asker applies the schema's conversions. @throws InvalidPayload */
function responseOf(service: Service, payload: unknown): Answer {
  const { type, schemas } = service
  if (schemas.response) validate(schemas.response, payload, `response to ${type}`)
  return { kind: 'response', service, payload }
}

function replyOf(id: number, answer: Answer): ChannelMessage {
  const { kind, service } = answer
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

function isAbort(thrown: unknown): boolean {
  return textOf(() => asError(thrown).name) === 'AbortError'
}
