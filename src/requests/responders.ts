import type { Channel } from '../channel/channel'
import { AbortError, AlreadyResponding, asError, HandlerError, LahjaError, type RemoteFailure } from '../model/errors'
import { isThenable, type RequestHandler } from '../model/event'
import type { Interest } from '../model/interest'
import { type StandardSchema, validate } from '../model/schema'
import type { ChannelMessage, MessageOf } from '../wire/message'
import { IncomingRequest } from './incoming-request'
import { Responder } from './responder'

export interface RespondOptions {
  /** Send askers the stack of what the handler throws, beside its name, message and code. Default false. */
  readonly sendStack?: boolean | undefined
  /** Ends the responding. */
  readonly signal?: AbortSignal | undefined
}

export interface RespondersContext {
  /** Tells everyone that this endpoint has begun or ended to respond. */
  readonly announce: (change: 'subscribe' | 'unsubscribe', interest: Interest) => void
  /** Resolves when everyone knows of all that has been announced; rejects when the endpoint closes first. */
  readonly known: () => Promise<void>
  readonly failed: (error: LahjaError) => void
  /** Called when nothing is being responded to any more. */
  readonly idle: () => void
  /** Requests of one asker under way at a time. */
  readonly limit: number
}

/** How requests of one type are answered. */
export interface Service {
  readonly type: string
  readonly handler: RequestHandler<unknown, unknown>
  readonly requestSchema: StandardSchema | undefined
  readonly responseSchema: StandardSchema | undefined
  /** Whether askers get the stack of what the handler throws. */
  readonly sendStack: boolean
  readonly signal: AbortSignal | undefined
}

/** What others ask of this endpoint: each request is handled once, and answered once. */
export class Responders {
  readonly #context: RespondersContext
  readonly #services = new Map<string, Service>()
  readonly #open = new Set<Responder>()
  readonly #underWay = new Map<Channel, Map<number, IncomingRequest>>()
  /** Requests under way, of all askers. */
  #count = 0

  constructor(context: RespondersContext) {
    this.#context = context
  }

  /** Is no request being handled? */
  get isIdle(): boolean {
    return this.#count === 0
  }

  /** @throws AlreadyResponding */
  add(service: Service): Responder {
    const { type, signal } = service
    if (this.#services.has(type)) {
      throw new AlreadyResponding(`respond ${type}: expected one responder on this endpoint, but there is one already`)
    }
    const { announce, known } = this.#context
    const interest: Interest = { type, responds: true }
    this.#services.set(type, service)
    announce('subscribe', interest)
    const stop = () => responder.unsubscribe()
    const responder: Responder = new Responder(type, known, () => {
      signal?.removeEventListener('abort', stop)
      this.#services.delete(type)
      this.#open.delete(responder)
      announce('unsubscribe', interest)
    })
    this.#open.add(responder)
    if (signal?.aborted) responder.unsubscribe()
    else signal?.addEventListener('abort', stop, { once: true })
    return responder
  }

  message(channel: Channel, message: MessageOf<'request' | 'cancel'>): void {
    if (message.kind === 'request') this.#handle(channel, message)
    else this.#finish(channel, message.id)?.abandon(new AbortError('the asker has given the request up'))
  }

  /** An asker's link has ended: nobody waits for its responses any more. */
  ended(channel: Channel): void {
    const underWay = this.#underWay.get(channel)
    this.#underWay.delete(channel)
    this.#count -= underWay?.size ?? 0
    for (const request of underWay?.values() ?? []) {
      request.abandon(new AbortError(`${channel.identity.name}, who asked, is gone`))
    }
    if (this.isIdle) this.#context.idle()
  }

  /** Responds no more; what is under way may end. Returns whether there was anything to end. */
  close(): boolean {
    const open = [...this.#open]
    for (const responder of open) responder.unsubscribe()
    return open.length > 0
  }

  #handle(channel: Channel, { id, type, payload }: MessageOf<'request'>): void {
    const service = this.#services.get(type)
    const underWay = this.#underWayFor(channel)
    if (underWay.has(id)) return
    if (!service || underWay.size >= this.#context.limit) return void channel.sendControl({ kind: 'decline', id })
    const request = new IncomingRequest(type, payload, channel.identity.name)
    underWay.set(id, request)
    this.#count++
    const answer = answerOf(service, request)
    if ('then' in answer) void answer.then((answer) => this.#answer(channel, id, request, answer))
    else this.#answer(channel, id, request, answer)
  }

  /** Kept as long as the link: askers that ask one by one would need a new one each time. */
  #underWayFor(channel: Channel): Map<number, IncomingRequest> {
    const known = this.#underWay.get(channel)
    if (known) return known
    const underWay = new Map<number, IncomingRequest>()
    this.#underWay.set(channel, underWay)
    return underWay
  }

  #answer(channel: Channel, id: number, request: IncomingRequest, answer: Answer): void {
    // Who has cancelled a request may have asked another one under its number.
    if (this.#underWay.get(channel)?.get(id) === request) {
      this.#finish(channel, id)
      this.#send(channel, id, answer)
    } else if (answer.kind === 'failure' && !isAbort(answer.thrown)) this.#report(request.type, answer.thrown)
  }

  /** Ends what is under way under this number, if it is. */
  #finish(channel: Channel, id: number): IncomingRequest | undefined {
    const underWay = this.#underWay.get(channel)
    const request = underWay?.get(id)
    if (underWay?.delete(id)) this.#count--
    if (this.isIdle) this.#context.idle()
    return request
  }

  #send(channel: Channel, id: number, answer: Answer): void {
    const { service } = answer
    try {
      channel.sendControl(messageOf(id, answer))
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

  #report(type: string, thrown: unknown): void {
    const cause = asError(thrown)
    const message = `a responder to ${type} failed: ${cause.message}`
    this.#context.failed(thrown instanceof LahjaError ? thrown : new HandlerError(message, { cause }))
  }
}

type Answer = { readonly service: Service } & (
  | { readonly kind: 'response'; readonly payload: unknown }
  | { readonly kind: 'failure'; readonly thrown: unknown }
)

/** A handler that answers at once is answered for at once. */
function answerOf(service: Service, request: IncomingRequest): Answer | Promise<Answer> {
  const { type, requestSchema, handler } = service
  const fail = (thrown: unknown): Answer => ({ kind: 'failure', service, thrown })
  try {
    const { payload, origin } = request
    if (requestSchema) request.payload = validate(requestSchema, payload, `request ${type} from ${origin}`)
    const response = handler(request)
    if (!isThenable(response)) return responseOf(service, response)
    return Promise.resolve(response)
      .then((response) => responseOf(service, response))
      .catch(fail)
  } catch (thrown) {
    return fail(thrown)
  }
}

/** Only whether it fits: what the schema makes of it, it makes where it arrives. @throws InvalidPayload */
function responseOf(service: Service, payload: unknown): Answer {
  const { type, responseSchema } = service
  if (responseSchema) validate(responseSchema, payload, `response to ${type}`)
  return { kind: 'response', service, payload }
}

function messageOf(id: number, answer: Answer): ChannelMessage {
  const { kind, service } = answer
  if (kind === 'response') return { kind, id, payload: answer.payload }
  return { kind, id, error: failureOf(answer.thrown, service.sendStack) }
}

/** Of what was thrown, what an asker is told. */
function failureOf(thrown: unknown, withStack: boolean): RemoteFailure {
  const error = asError(thrown)
  const { name, message, stack } = error
  const code = 'code' in error && ['string', 'number'].includes(typeof error.code) ? String(error.code) : undefined
  return { name: String(name), message: String(message), code, stack: withStack ? stack : undefined }
}

/** So that it fits into every peer's frames. */
function clip(text: string): string {
  return text.slice(0, 300)
}

function isAbort(thrown: unknown): boolean {
  return thrown instanceof AbortError || (thrown instanceof Error && thrown.name === 'AbortError')
}
