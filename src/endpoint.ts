import { Awareness } from './awareness'
import { EndpointCore, type World } from './endpoint-core'
import type { BroadcastOptions } from './events/broadcaster'
import { EventStream, type StreamOptions } from './events/event-stream'
import {
  checkHandler,
  type SubscribeOptions,
  streamSettings,
  subscribeSettings,
  type WaitForOptions,
} from './events/subscribe-options'
import type { Subscription } from './events/subscription'
import {
  type EventType,
  nameOf,
  overflowOf,
  type PayloadAnd,
  patternOf,
  type RequestType,
  requestNameOf,
  schemaOf,
  schemasOf,
} from './model/definition'
import { CloseTimeout, EndpointClosed } from './model/errors'
import type { Event, Handler, RequestHandler } from './model/event'
import { validate } from './model/schema'
import { type EndpointOptions, type Settings, settingsOf } from './options'
import { systemClock } from './platform/clock'
import { SocketDirectory } from './platform/socket-directory'
import { checkTimeout, type WaitOptions } from './platform/waits'
import type { ReplyStream } from './requests/reply-stream'
import type { RequestOptions } from './requests/requester'
import type { Responder } from './requests/responder'
import type { RespondOptions } from './requests/responders'

export interface CloseOptions {
  /**
   * Milliseconds for what has begun to end and for peers to take what was accepted for them. Default 5,000; handlers
   * get half of it at most.
   */
  readonly timeout?: number
}

/** A named participant of the bus. */
export class Endpoint extends Awareness implements AsyncDisposable {
  /** @internal */
  protected readonly participant: EndpointCore
  readonly #settings: Settings
  #state: 'open' | 'finishing' | 'closed' = 'open'
  #closing: Promise<void> | undefined

  private constructor(settings: Settings, world: World) {
    super()
    this.#settings = settings
    this.participant = new EndpointCore(settings, world, {
      notify: (event, ...args) => this.notify(event, ...args),
      report: (error) => this.report(error),
      nameLost: () => void this.close().catch((failure) => this.report(failure)),
    })
  }

  /**
   * Joins the bus. Resolves when the endpoint holds its name, can be dialled, and is linked with every live peer that
   * was there; one that doesn't answer holds it up until the handshake deadline at most, and is linked later.
   *
   * @throws InvalidArgument, DirectoryRefused, PathTooLong, NameInUse, ConnectionFailed
   */
  static async start(options: EndpointOptions): Promise<Endpoint> {
    const settings = settingsOf(options)
    const transport = new SocketDirectory(settings.directory, settings.ownParents, settings.secret !== undefined)
    return Endpoint.startIn({ transport, clock: systemClock }, settings)
  }

  /** @internal Joins a bus in another world than that of real sockets and real time. */
  static async startIn(world: World, settings: Settings): Promise<Endpoint> {
    const endpoint = new Endpoint(settings, world)
    await endpoint.participant.start()
    return endpoint
  }

  get name(): string {
    return this.participant.self.name
  }

  /** Of this one life of the endpoint. */
  get id(): string {
    return this.participant.self.id
  }

  get groups(): readonly string[] {
    return this.participant.self.groups
  }

  /** The bus: the absolute path of its directory. */
  get directory(): string {
    return this.#settings.directory
  }

  /**
   * Sends an event to everyone who is subscribed, this endpoint included. Resolves once it is in every receiver's
   * outbox and those over their high-water mark have been waited for, `limits.patience` at most. That it resolves says
   * nothing of receipt.
   *
   * @returns the number of endpoints it was handed to
   * @throws InvalidPayload, UnserializablePayload, PayloadTooLarge, NoSubscribers, InvalidArgument, EndpointClosed:
   *   nobody has got it. AbortError: it was handed over, and only the wait ended
   */
  broadcast<Payload, Input>(
    type: EventType<Payload, Input>,
    ...rest: PayloadAnd<Input, BroadcastOptions>
  ): Promise<number>
  broadcast(type: EventType, payload?: unknown, options?: BroadcastOptions): Promise<number> {
    try {
      const count = this.#send(type, payload, options)
      const { broadcaster, handovers } = this.participant
      const pressure = broadcaster.pressure()
      if (!pressure) return broadcaster.handedTo(count)
      const signal = options?.signal
      return (signal ? handovers.settle('broadcast', { signal }, pressure) : pressure).then(() => count)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /**
   * Like `broadcast`, without a wait. The event is taken in any case; `false` says that an outbox is over its
   * high-water mark, and that it is time to wait for `drained()`. An outbox at its cap drops its oldest events.
   *
   * @throws InvalidPayload, UnserializablePayload, PayloadTooLarge, NoSubscribers, InvalidArgument, EndpointClosed
   */
  broadcastNowait<Payload, Input>(
    type: EventType<Payload, Input>,
    ...rest: PayloadAnd<Input, BroadcastOptions>
  ): boolean
  broadcastNowait(type: EventType, payload?: unknown, options?: BroadcastOptions): boolean {
    this.#send(type, payload, options)
    return !this.participant.broadcaster.isOverMark
  }

  /** Resolves when no outbox that is waited for is over its high-water mark. */
  async drained(options: WaitOptions = {}): Promise<void> {
    const { loopback, membership, waits } = this.participant
    const channels = [loopback, ...membership.links]
    await waits.settle('drained', options, Promise.all(channels.map(({ outbox }) => outbox.drained())))
  }

  /**
   * Calls the handler for each event of the type, or of all types that the pattern stands for: in each sender's order,
   * and one at a time unless `concurrency` says otherwise. In a pattern `*` stands for one token and `>` at the end for
   * the rest: `order.*`, `order.>`. A handler that throws is reported as `error` and goes on with the next event.
   *
   * @throws InvalidArgument, EndpointClosed
   */
  subscribe<Payload, Input>(
    type: EventType<Payload, Input>,
    handler: Handler<Payload>,
    options: SubscribeOptions = {},
  ): Subscription {
    this.#assertOpen()
    return this.participant.subscriptions.add(subscribeSettings(type, handler, options))
  }

  /**
   * The events of a type for `for await`, from this call on.
   *
   * @throws InvalidArgument, EndpointClosed
   */
  stream<Payload, Input>(type: EventType<Payload, Input>, options: StreamOptions = {}): EventStream<Payload> {
    this.#assertOpen()
    const { from } = options
    return new EventStream<Payload>(options, (keep, ended) => {
      return this.participant.subscriptions.add(streamSettings(type, from, keep), ended)
    })
  }

  /**
   * The next event of a type.
   *
   * @throws WaitTimeout, AbortError, InvalidArgument, EndpointClosed
   */
  async waitFor<Payload, Input>(
    type: EventType<Payload, Input>,
    { from, ...options }: WaitForOptions = {},
  ): Promise<Event<Payload>> {
    this.#assertOpen()
    return this.participant.waits.wait<Event<Payload>>(`waitFor ${patternOf(type)}`, options, ({ resolve }) => {
      const subscription = this.subscribe(type, resolve, { from })
      return () => subscription.unsubscribe()
    })
  }

  /**
   * Answers the requests of a type, each once, any number at a time. What the handler throws goes to the asker.
   *
   * @throws AlreadyResponding, InvalidArgument, EndpointClosed
   */
  respond<Request, Response, Asked, Answered>(
    type: RequestType<Request, Response, Asked, Answered>,
    handler: RequestHandler<Asked, NoInfer<Answered>>,
    { sendStack = false, signal }: RespondOptions = {},
  ): Responder {
    this.#assertOpen()
    checkHandler(handler)
    const { request, response } = schemasOf(type)
    return this.participant.responders.add({
      type: requestNameOf(type),
      handler,
      requestSchema: request,
      responseSchema: response,
      sendStack,
      signal,
    })
  }

  /**
   * Asks one responder, of those that are meant the one with the fewest requests in flight from here. Settles in any
   * case, and exactly once; a handler never runs twice for it.
   *
   * @throws RemoteError, RequestTimeout, RemoteDisconnected, NoSubscribers, AbortError, UnexpectedResponse,
   *   InvalidPayload, UnserializablePayload, PayloadTooLarge, InvalidArgument, EndpointClosed
   */
  request<Request, Response, Asked, Answered>(
    type: RequestType<Request, Response, Asked, Answered>,
    ...rest: PayloadAnd<Request, RequestOptions>
  ): Promise<Response>
  request(type: RequestType, payload?: unknown, options: RequestOptions = {}): Promise<unknown> {
    try {
      this.#assertNotClosed()
      return this.participant.asker.request({ type: requestNameOf(type), schemas: schemasOf(type), payload }, options)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /**
   * Asks every responder. The replies come as they come, one of each responder: its response, or the error that
   * `request` would have rejected with. `break` after the first gives the others up.
   *
   * @throws InvalidPayload, InvalidArgument, EndpointClosed
   */
  requestAll<Request, Response, Asked, Answered>(
    type: RequestType<Request, Response, Asked, Answered>,
    ...rest: PayloadAnd<Request, RequestOptions>
  ): ReplyStream<Response>
  requestAll(type: RequestType, payload?: unknown, options: RequestOptions = {}): ReplyStream<unknown> {
    this.#assertNotClosed()
    return this.participant.asker.requestAll({ type: requestNameOf(type), schemas: schemasOf(type), payload }, options)
  }

  /**
   * Leaves the bus. What waits for members of queues here goes to others, what has begun comes to its end; everything
   * that was accepted is delivered to the peers that read; they see `left`, the socket file is removed and nothing
   * keeps the process alive any more. Pending waits reject with `EndpointClosed`, streams end. Calling it again returns
   * the same promise.
   *
   * @throws CloseTimeout if peers did not take what was accepted for them in time; the endpoint is closed all the same
   */
  close(options: CloseOptions = {}): Promise<void> {
    const { timeout = 5000 } = options
    checkTimeout(timeout)
    this.#closing ??= this.#close(timeout)
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(timeout: number): Promise<void> {
    this.#state = 'finishing'
    const { participant } = this
    const began = participant.now()
    const finishing = participant.finish(timeout / 2)
    if (finishing) await finishing
    this.#state = 'closed'
    participant.waits.end(this.#closedError())
    const undelivered = await participant.leave(Math.max(timeout - (participant.now() - began), 0))
    if (undelivered.size === 0) return
    const list = [...undelivered].map(([peer, events]) => `${events} for ${peer}`).join(', ')
    throw new CloseTimeout(
      `expected peers to take all events within ${timeout} ms, got some left: ${list}`,
      undelivered,
    )
  }

  #send(type: EventType, payload: unknown, options: BroadcastOptions | undefined): number {
    this.#assertNotClosed()
    const name = nameOf(type)
    const schema = schemaOf(type)
    if (schema) validate(schema, payload, `event ${name}`)
    return this.participant.broadcaster.send(name, payload, options, overflowOf(type))
  }

  #assertOpen(): void {
    if (this.#state !== 'open') throw this.#closedError()
  }

  /** What handlers that have begun may still do. */
  #assertNotClosed(): void {
    if (this.#state === 'closed') throw this.#closedError()
  }

  #closedError(): EndpointClosed {
    return new EndpointClosed(`endpoint ${this.name}: expected it to be open, but close() has been called`)
  }
}
