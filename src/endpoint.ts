import { captureRejectionSymbol, EventEmitter } from 'node:events'
import type { inspect } from 'node:util'
import { EndpointCore } from './endpoint-core'
import { EndpointEmitter, type EndpointEvents } from './endpoint-events'
import type { BroadcastOptions } from './events/broadcaster'
import { EventStream, STREAM_OPTIONS, type StreamOptions } from './events/event-stream'
import {
  checkCount,
  checkHandler,
  type SubscribeOptions,
  streamSettings,
  subscribeSettings,
  type WaitForOptions,
} from './events/subscribe-options'
import type { Subscription } from './events/subscription'
import { LossWarnings } from './loss-warnings'
import { holderEnd } from './mesh/holder-end'
import { checkBoolean, checkOptions, type OptionNames } from './model/call-options'
import {
  askedNameOf,
  definitionIn,
  type EventType,
  eventNameOf,
  type PayloadAnd,
  patternOf,
  type RequestDefinition,
  type RequestType,
  requestNameOf,
  schemaOf,
  schemasOf,
} from './model/definition'
import {
  CloseTimeout,
  handlerError,
  InvalidArgument,
  invalid,
  LahjaError,
  NameInUse,
  WaitTimeout,
} from './model/errors'
import type { Event, Handler, RequestHandler } from './model/event'
import { headersOf } from './model/headers'
import { checkName } from './model/name'
import { validate } from './model/schema'
import { openMetricsOf } from './open-metrics'
import { type EndpointOptions, type Settings, settingsOf } from './options'
import type { Peer } from './peers'
import { inContext } from './platform/async-context'
import { systemClock } from './platform/clock'
import { Deadline } from './platform/deadline'
import { SocketDirectory } from './platform/socket-directory'
import { checkTimeout, WAIT_OPTIONS, type WaitOptions, Waits } from './platform/waits'
import type { World } from './platform/world'
import type { QueueInfo } from './queues/work-queues'
import { ReplyStream } from './requests/reply-stream'
import { REQUEST_ALL_OPTIONS, REQUEST_OPTIONS, type RequestAllOptions, type RequestOptions } from './requests/requester'
import { RESPOND_OPTIONS, type RespondOptions } from './requests/responders'
import { isEligible } from './routing/eligibility'
import type { EndpointStats } from './stats'

/** Milliseconds that `close` takes at most by default. */
const CLOSE_TIMEOUT = 5000

export interface CloseOptions {
  /**
   * Milliseconds for running handlers to finish and for queued events to be delivered; `Infinity` for no limit.
   * Handlers get at most half of it. Default 5,000.
   */
  readonly timeout?: number | undefined
}

export interface AllSubscribedOptions {
  /** Whether this endpoint must be subscribed too. Default true. */
  readonly includeSelf?: boolean | undefined
}

const CLOSE_OPTIONS: OptionNames<CloseOptions> = { timeout: true }
const ALL_SUBSCRIBED_OPTIONS: OptionNames<AllSubscribedOptions> = { includeSelf: true }
const WAIT_FOR_OPTIONS: OptionNames<WaitForOptions> = { ...WAIT_OPTIONS, from: true }

/** A wait for a condition, as errors name it. */
interface NamedWait {
  readonly call: string
  /** What it waits for. */
  readonly subject?: string
  /** Makes the error at the end of the timeout. Default `WaitTimeout`. */
  readonly timedOut?: (message: string) => LahjaError
}

/** A start in progress. */
interface Start {
  readonly world: World
  readonly settings: Settings
  readonly waits: Waits
  /** Whether it has succeeded, failed or been given up. */
  isOver: boolean
  /** The endpoint that is joining. */
  attempt: Endpoint | undefined
}

/** The type of an event or a request. */
type AnyType = EventType | RequestType

/** A named member of the bus: sends and receives events, makes and answers requests. Created by `Endpoint.start`. */
export class Endpoint extends EndpointEmitter implements AsyncDisposable {
  readonly #core: EndpointCore
  readonly #lossWarnings: LossWarnings
  /** Calls listeners in the context in which the endpoint was started. */
  readonly #emitInContext = inContext((args: [name: string, ...unknown[]]) =>
    EventEmitter.prototype.emit.apply(this, args),
  )
  #closing: Promise<void> | undefined

  private constructor(settings: Settings, world: World) {
    super({ captureRejections: true })
    // From JavaScript it can be called, with options, or with a name and options.
    if (typeof world?.clock !== 'object')
      throw new InvalidArgument('new Endpoint: use `await Endpoint.start({ name })`, which joins the bus')
    this.#core = new EndpointCore(settings, world, {
      emit: (name, ...args) => this.#emit(name, ...args),
      report: (error) => this.#report(error),
      hearsErrors: () => this.listenerCount('error') > 0,
      nameLost: () => void this.close().catch((failure) => this.#report(failure)),
    })
    this.#lossWarnings = new LossWarnings(this.name)
  }

  /**
   * Joins the bus. Resolves once the endpoint holds its name, accepts connections, and is linked with every live peer.
   * A peer that doesn't answer delays it by at most `limits.patience`, and is linked later.
   *
   * @param options `name` is required; everything else has a default
   * @throws InvalidArgument if an option can't be used
   * @throws NameInUse if a live endpoint holds the name, at the end of `waitForName`
   * @throws WaitTimeout at the end of `timeout`, AbortError if `signal` aborts: nothing of the endpoint is left
   * @throws DirectoryRefused if the bus directory can't be created or trusted
   * @throws PathTooLong if the directory's path leaves no room for a socket's name
   * @throws ConnectionFailed if the socket can't be opened
   *
   * @example
   * ```ts
   * import { Endpoint } from 'lahja'
   *
   * await using endpoint = await Endpoint.start({ name: 'shop', groups: ['web'] })
   * await endpoint.broadcast('shop.opened', { at: Date.now() })
   * ```
   */
  static async start(options: EndpointOptions): Promise<Endpoint> {
    try {
      const settings = settingsOf(options)
      const transport = new SocketDirectory(settings.directory, settings.ownParents, settings.secret !== undefined)
      return await Endpoint.startIn({ transport, clock: systemClock }, settings)
    } catch (error) {
      // So that a loop of starts that fail at once lets the event loop turn.
      await new Promise<void>((resolve) => systemClock.nextTurn(resolve))
      throw error
    }
  }

  /** @internal Joins a bus on a given transport and clock instead of sockets and real time. */
  static startIn(world: World, settings: Settings): Promise<Endpoint> {
    const waits = new Waits(world.clock)
    return waits.wait<Endpoint>(`the start of ${settings.name}`, settings.wait, (waiter) => {
      const start: Start = { world, settings, waits, isOver: false, attempt: undefined }
      Endpoint.#join(start).then(
        (endpoint) => (start.isOver ? endpoint.#discard() : waiter.resolve(endpoint)),
        (error) => waiter.reject(error),
      )
      return () => {
        start.isOver = true
        if (start.attempt) start.attempt.#discard()
        waits.changed()
      }
    })
  }

  /** Each attempt is an endpoint of its own, as an id is never used again. */
  static async #join(start: Start): Promise<Endpoint> {
    const { world, settings, waits } = start
    const deadline = new Deadline(world.clock, settings.waitForName)
    for (;;) {
      const endpoint = new Endpoint(settings, world)
      start.attempt = endpoint
      try {
        await endpoint.#core.start(deadline)
        start.attempt = undefined
        return endpoint
      } catch (error) {
        start.attempt = undefined
        if (!(error instanceof NameInUse) || start.isOver) throw error
        if (settings.isPrefix) continue // The next id makes another name.
        if (!error.holder || deadline.left === 0) throw error
        const isOver = () => start.isOver
        const holder = { name: endpoint.name, id: error.holder }
        const hasEnded = await holderEnd(holder, { ...world, ...settings, waits, isOver }, deadline)
        if (start.isOver || !hasEnded) throw error
      }
    }
  }

  /** Ends an endpoint that nobody has seen. */
  #discard(): void {
    void this.close({ timeout: 0 }).catch(() => {})
  }

  /** The name under which this endpoint joined the bus. */
  get name(): string {
    return this.#core.self.name
  }

  /** Identifies this run of the endpoint: 13 characters of `0-9a-z`. */
  get id(): string {
    return this.#core.self.id
  }

  /** The groups to which senders can address events and requests. */
  get groups(): readonly string[] {
    return this.#core.self.groups
  }

  /** The absolute path of the bus directory. */
  get directory(): string {
    return this.#core.settings.directory
  }

  /**
   * Sends an event to every subscriber, this endpoint's own included. Resolves once the event is in the outbox of every
   * receiver and none of these is over `limits.highWaterMark`: with the policy `wait` it waits for a slow receiver as long
   * as that reads. One that reads nothing for `limits.patience` is `lagging`, and isn't waited for. It doesn't confirm
   * receipt.
   *
   * @param type a definition, or a type name
   * @param payload a value that fits the definition and that MessagePack can carry
   * @returns the number of endpoints that the event was sent to; a queue that keeps it counts as one
   * @throws InvalidPayload if the payload doesn't fit the definition's schema
   * @throws UnserializablePayload if MessagePack can't carry a part of the payload
   * @throws PayloadTooLarge if the event is larger than `limits.frameBytes`, here or at every receiver; a receiver that
   *   takes less than others misses it, and an `error` says so
   * @throws NoSubscribers if `requireSubscriber` is set and there is none
   * @throws AbortError if `signal` aborts: it ends only the wait, and the event is sent all the same
   * @throws InvalidArgument, EndpointClosed
   *
   * @example
   * ```ts
   * import { defineEvent, Endpoint } from 'lahja'
   *
   * const OrderPlaced = defineEvent<{ id: string; total: number }>('order.placed')
   * const endpoint = await Endpoint.start({ name: 'shop' })
   * const receivers = await endpoint.broadcast(OrderPlaced, { id: 'A1', total: 12 }, { to: { group: 'billing' } })
   * ```
   */
  broadcast<Payload, Input>(
    type: EventType<Payload, Input>,
    ...rest: PayloadAnd<Input, BroadcastOptions>
  ): Promise<number>
  broadcast(type: EventType, payload?: unknown, options?: BroadcastOptions): Promise<number> {
    try {
      const name = this.#prepare(type, payload)
      return this.#core.broadcaster.broadcast(name, payload, options, definitionIn(type))
    } catch (error) {
      return this.#rejected(error)
    }
  }

  /**
   * Sends an event like `broadcast`, without waiting. The event is sent whatever this returns.
   *
   * @returns false if an outbox is over `limits.highWaterMark` and the event's policy is `wait`: wait for `drained()` before
   *   sending more; an outbox that reaches `limits.outboxBytes` does what the policy says
   * @throws InvalidPayload, UnserializablePayload, PayloadTooLarge, NoSubscribers, InvalidArgument, EndpointClosed as
   *   `broadcast` does
   *
   * @example
   * ```ts
   * import { Endpoint } from 'lahja'
   *
   * const endpoint = await Endpoint.start({ name: 'source' })
   * for (let n = 0; n < 1_000_000; n++) if (!endpoint.broadcastNowait('tick', n)) await endpoint.drained()
   * ```
   */
  broadcastNowait<Payload, Input>(
    type: EventType<Payload, Input>,
    ...rest: PayloadAnd<Input, BroadcastOptions>
  ): boolean
  broadcastNowait(type: EventType, payload?: unknown, options?: BroadcastOptions): boolean {
    const name = this.#prepare(type, payload)
    return this.#core.broadcaster.broadcastNowait(name, payload, options, definitionIn(type))
  }

  /**
   * Resolves when no outbox is over `limits.highWaterMark` any more; outboxes of lagging peers don't count.
   *
   * @throws WaitTimeout, AbortError, EndpointClosed
   *
   * @example
   * ```ts
   * import { Endpoint } from 'lahja'
   *
   * const endpoint = await Endpoint.start({ name: 'source' })
   * if (!endpoint.broadcastNowait('tick', 1)) await endpoint.drained({ timeout: 10_000 })
   * ```
   */
  drained(options: WaitOptions = {}): Promise<void> {
    return this.#call(() => {
      checkOptions('drained', options, WAIT_OPTIONS)
      return this.#core.waits.settle('drained', options, this.#core.drained()).then(() => {})
    })
  }

  /**
   * Calls the handler for each event of a type, in each sender's order. If it returns a promise, the next event
   * waits for it, unless `concurrency` allows more at a time. If it throws or rejects, the endpoint emits `error`.
   *
   * @param type a definition, a type name, or a pattern: `order.*` (`*` is one token), `order.>` (`>` is the rest)
   * @throws InvalidArgument, EndpointClosed
   *
   * @example
   * ```ts
   * import { defineEvent, Endpoint } from 'lahja'
   *
   * const OrderPlaced = defineEvent<{ id: string; total: number }>('order.placed')
   * const endpoint = await Endpoint.start({ name: 'billing' })
   * const subscription = endpoint.subscribe(OrderPlaced, ({ payload, origin }) => {
   *   console.log(`${origin} sold ${payload.id} for ${payload.total}`)
   * })
   * await subscription.ready
   * ```
   */
  subscribe<Payload, Input>(
    type: EventType<Payload, Input>,
    handler: Handler<Payload>,
    options: SubscribeOptions = {},
  ): Subscription {
    this.#core.assertOpen()
    checkHandler(handler)
    return this.#core.subscribe(subscribeSettings(type, inContext(handler), options))
  }

  /**
   * Iterates over the events of a type with `for await`. It subscribes at once, and buffers events that arrive before
   * the loop begins.
   *
   * Unread events count against the sender's window: a stream that is neither read nor ended stalls its senders and delays
   * `close()`. End it with `break`, `return()`, a signal or `await using`.
   *
   * @param type a definition, a type name, or a pattern of names
   * @throws InvalidArgument, EndpointClosed; the first step throws them if many calls in a row have failed
   *
   * @example
   * ```ts
   * import { Endpoint } from 'lahja'
   *
   * const endpoint = await Endpoint.start({ name: 'display' })
   * for await (const { payload, origin } of endpoint.stream('sensor.reading', { limit: 10 })) {
   *   console.log(origin, payload)
   * }
   * ```
   */
  stream<Payload, Input>(type: EventType<Payload, Input>, options: StreamOptions = {}): EventStream<Payload> {
    const { turn } = this.#core
    try {
      this.#core.assertOpen()
      checkOptions('stream', options, STREAM_OPTIONS)
      const { from } = options
      return new EventStream<Payload>(options, turn, (buffer, ended) => {
        return this.#core.subscribe(streamSettings(type, from, buffer), ended)
      })
    } catch (error) {
      const name = typeof type === 'string' ? type : type?.name
      return this.#failed(error, (failure, pause) => EventStream.failed(name, failure, turn, pause))
    }
  }

  /**
   * Resolves to the next event of a type.
   *
   * @param type a definition, a type name, or a pattern of names
   * @throws WaitTimeout, AbortError, InvalidArgument, EndpointClosed
   *
   * @example
   * ```ts
   * import { Endpoint } from 'lahja'
   *
   * const endpoint = await Endpoint.start({ name: 'display' })
   * const { payload } = await endpoint.waitFor('sensor.reading', { from: 'kitchen', timeout: 5_000 })
   * ```
   */
  waitFor<Payload, Input>(type: EventType<Payload, Input>, options: WaitForOptions = {}): Promise<Event<Payload>> {
    return this.#call(() => {
      this.#core.assertOpen()
      checkOptions('waitFor', options, WAIT_FOR_OPTIONS)
      const { from } = options
      return this.#core.waits.wait<Event<Payload>>(`waitFor ${patternOf(type)}`, options, (waiter) => {
        const subscription = this.subscribe(type, (event) => waiter.resolve(event), { from })
        return () => subscription.unsubscribe()
      })
    })
  }

  /**
   * Answers the requests of a type. Each request is handled once. At most `concurrency` handlers run at a time, and at
   * most `limits.pendingRequests` for one asker. The handler's return value is the response. An error that it throws
   * reaches the asker as `RemoteError`, with its name, message and code.
   *
   * @param type a definition, or a type name
   * @returns a subscription: `ready` resolves when every connected peer knows of it, `unsubscribe()` ends it
   * @throws AlreadyResponding if this endpoint responds to the type already
   * @throws InvalidArgument, EndpointClosed
   *
   * @example
   * ```ts
   * import { defineRequest, Endpoint } from 'lahja'
   *
   * const GetOrder = defineRequest<{ id: string }, { total: number }>('order.get')
   * const endpoint = await Endpoint.start({ name: 'shop' })
   * await endpoint.respond(GetOrder, async ({ payload }) => ({ total: payload.id.length })).ready
   * ```
   */
  respond<Request, Response, ReceivedRequest, SentResponse>(
    type: RequestType<Request, Response, ReceivedRequest, SentResponse>,
    handler: RequestHandler<ReceivedRequest, NoInfer<SentResponse>>,
    options: RespondOptions = {},
  ): Subscription {
    this.#core.assertOpen()
    checkHandler(handler)
    checkOptions('respond', options, RESPOND_OPTIONS)
    const { sendStack = false, concurrency = Number.POSITIVE_INFINITY, signal } = options
    checkBoolean('sendStack', sendStack)
    checkCount('concurrency', concurrency)
    const name = requestNameOf(type)
    const handle = inContext(handler)
    return this.#core.respond({ type: name, schemas: schemasOf(type), handler: handle, sendStack, concurrency, signal })
  }

  /**
   * Sends a request to one responder: of those that `to` allows, the one with the fewest requests in flight from this
   * endpoint. The promise settles exactly once, and the request is handled at most once.
   *
   * @param type a definition, or a type name
   * @throws RemoteError if the responder threw
   * @throws RequestTimeout if there was no response within `timeout`, 30 seconds by default
   * @throws RemoteDisconnected if the responder disconnected before it responded
   * @throws NoSubscribers if no connected endpoint that `to` allows responds to the type, at the end of `wait`
   * @throws UnexpectedResponse if the response doesn't fit the definition's schema
   * @throws AbortError if `signal` aborts, EndpointClosed if this endpoint closes first
   * @throws InvalidPayload, UnserializablePayload, PayloadTooLarge, InvalidArgument: the request was not sent
   *
   * @example
   * ```ts
   * import { defineRequest, Endpoint } from 'lahja'
   *
   * const GetOrder = defineRequest<{ id: string }, { total: number }>('order.get')
   * const endpoint = await Endpoint.start({ name: 'desk' })
   * const { total } = await endpoint.request(GetOrder, { id: 'A1' }, { to: 'shop', timeout: 2_000 })
   * ```
   */
  request<Request, Response, ReceivedRequest, SentResponse>(
    type: RequestType<Request, Response, ReceivedRequest, SentResponse>,
    ...rest: PayloadAnd<Request, RequestOptions>
  ): Promise<Response>
  request(type: RequestType, payload?: unknown, options: RequestOptions = {}): Promise<unknown> {
    try {
      this.#core.assertNotClosed()
      checkOptions('request', options, REQUEST_OPTIONS)
      const headers = headersOf(options.headers)
      const outgoing = { type: askedNameOf(type), schemas: schemasOf(type), payload, headers }
      return this.#core.requester.request(outgoing, options)
    } catch (error) {
      return this.#rejected(error)
    }
  }

  /**
   * Sends a request to every responder. Iterates over one reply of each, as they arrive: its response, or the error
   * with which `request` would have rejected; only a responder that unsubscribes before it has begun has none. A responder
   * that doesn't answer within `timeout` (default 30,000 ms) yields `{ origin, error: RequestTimeout }`. `break` cancels the
   * remaining requests.
   *
   * Arguments and payload are checked at once, and throw. The first step throws `NoSubscribers` if no endpoint that `to`
   * allows responds to the type; any step throws `AbortError` once `signal` aborts, or `EndpointClosed`.
   *
   * @param type a definition, or a type name
   * @throws InvalidPayload, UnserializablePayload, PayloadTooLarge, InvalidArgument, EndpointClosed: nothing was sent; the
   * first step throws them if many calls in a row have failed
   *
   * @example
   * ```ts
   * import { defineRequest, Endpoint } from 'lahja'
   *
   * const GetLoad = defineRequest<void, number>('load.get')
   * const endpoint = await Endpoint.start({ name: 'monitor' })
   * for await (const { origin, payload, error } of endpoint.requestAll(GetLoad, undefined, { timeout: 1_000 })) {
   *   console.log(origin, error ? error.code : payload)
   * }
   * ```
   */
  requestAll<Request, Response, ReceivedRequest, SentResponse>(
    type: RequestType<Request, Response, ReceivedRequest, SentResponse>,
    ...rest: PayloadAnd<Request, RequestAllOptions>
  ): ReplyStream<Response>
  requestAll(type: RequestType, payload?: unknown, options: RequestAllOptions = {}): ReplyStream<unknown> {
    try {
      this.#core.assertNotClosed()
      checkOptions('requestAll', options, REQUEST_ALL_OPTIONS)
      const headers = headersOf(options.headers)
      const outgoing = { type: askedNameOf(type), schemas: schemasOf(type), payload, headers }
      return this.#core.requester.requestAll(outgoing, options)
    } catch (error) {
      return this.#failed(error, ReplyStream.failed)
    }
  }

  /** A snapshot of every peer that this endpoint is linked with. */
  get peers(): readonly Peer[] {
    return this.#core.peers.all
  }

  /**
   * What queues are up to, as this endpoint sees them: all but those whose members all have `prefetch: Infinity`.
   *
   * @example
   * ```ts
   * import { Endpoint } from 'lahja'
   *
   * const endpoint = await Endpoint.start({ name: 'shop' })
   * for (const { name, members, waiting } of endpoint.queues()) console.log(`${name}: ${waiting} wait for ${members}`)
   * ```
   */
  queues(): readonly QueueInfo[] {
    return this.#core.queues()
  }

  /**
   * What this endpoint has done and is doing, in numbers: events and requests by type, peers, subscriptions, queues, and its
   * process. They are always counted. A snapshot, of plain objects.
   *
   * @example
   * ```ts
   * import { Endpoint } from 'lahja'
   *
   * const endpoint = await Endpoint.start({ name: 'shop' })
   * for (const { type, received, handled, failed } of endpoint.stats().events) console.log(type, received, handled, failed)
   * ```
   */
  stats(): EndpointStats {
    return this.#core.stats()
  }

  /**
   * The numbers of `stats` as text for Prometheus: OpenMetrics, with the content type
   * `application/openmetrics-text; version=1.0.0; charset=utf-8`.
   *
   * @example
   * ```ts
   * import { createServer } from 'node:http'
   * import { Endpoint } from 'lahja'
   *
   * const endpoint = await Endpoint.start({ name: 'shop' })
   * const type = 'application/openmetrics-text; version=1.0.0; charset=utf-8'
   * createServer((_, response) => response.setHeader('content-type', type).end(endpoint.metrics())).listen(9464)
   * ```
   */
  metrics(): string {
    return openMetricsOf(this.stats())
  }

  /** The types and patterns that each linked peer, and this endpoint, subscribes or responds to, by its name. */
  get connectedEndpointsAndSubscriptions(): ReadonlyMap<string, ReadonlySet<string>> {
    const own = new Set([...this.#core.announcer.interests].map(({ type }) => type))
    const peers = this.peers.map((peer) => [peer.name, new Set([...peer.subscriptions, ...peer.responds])] as const)
    return new Map([[this.name, own], ...peers])
  }

  /** The types and patterns of events that this endpoint subscribes to. */
  get subscribedEvents(): ReadonlySet<string> {
    const events = [...this.#core.announcer.interests].filter(({ responds }) => !responds)
    return new Set(events.map(({ type }) => type))
  }

  /**
   * Whether this endpoint is linked with one of this name. Always true for its own name.
   *
   * @throws InvalidArgument if `name` can't be an endpoint's name
   */
  isConnectedTo(name: string): boolean {
    return this.#core.isConnectedTo([checkName('name', name)])
  }

  /**
   * Whether the endpoint of this name would receive an event, or a request, of this type from here. `name` may be this
   * endpoint's own.
   *
   * @throws InvalidArgument if `name` can't be an endpoint's name or `type` isn't a type
   */
  isEndpointSubscribedTo(name: string, type: AnyType): boolean {
    checkName('name', name)
    return this.#subscribed(type).some(({ identity }) => identity.name === name)
  }

  /** Whether any connected endpoint, or this one, receives this endpoint's events, or requests, of a type. */
  isAnyEndpointSubscribedTo(type: AnyType): boolean {
    return this.#subscribed(type).length > 0
  }

  /** Whether every connected endpoint, and this one, receives this endpoint's events, or requests, of a type. */
  areAllEndpointsSubscribedTo(type: AnyType, options: AllSubscribedOptions = {}): boolean {
    checkOptions('areAllEndpointsSubscribedTo', options, ALL_SUBSCRIBED_OPTIONS)
    const { includeSelf = true } = options
    checkBoolean('includeSelf', includeSelf)
    const subscribed = new Set(this.#subscribed(type))
    const { loopback, peers } = this.#core
    return [...(includeSelf ? [loopback] : []), ...peers.links].every((channel) => subscribed.has(channel))
  }

  /**
   * Resolves when this endpoint is linked with an endpoint of each name.
   *
   * @throws WaitTimeout, AbortError, InvalidArgument, EndpointClosed
   *
   * @example
   * ```ts
   * import { Endpoint } from 'lahja'
   *
   * const endpoint = await Endpoint.start({ name: 'desk' })
   * await endpoint.waitUntilConnectedTo(['shop', 'billing'], { timeout: 10_000 })
   * ```
   */
  waitUntilConnectedTo(names: string | readonly string[], options?: WaitOptions): Promise<void> {
    return this.#call(() => {
      if (typeof names !== 'string' && !Array.isArray(names))
        throw invalid('names', 'a name or an array of names', names)
      const wanted = typeof names === 'string' ? [names] : [...names]
      for (const name of wanted) checkName('names', name)
      const missing = () => wanted.filter((name) => !this.#core.isConnectedTo([name])).join(', ')
      const timedOut = (message: string) => new WaitTimeout(`${message}; not linked with ${missing()}`)
      const wait = { call: 'waitUntilConnectedTo', subject: wanted.join(', '), timedOut }
      return this.#until(wait, options, () => this.#core.isConnectedTo(wanted))
    })
  }

  /**
   * Resolves when the next peer has joined, left or been lost.
   *
   * @throws WaitTimeout, AbortError, InvalidArgument, EndpointClosed
   */
  waitUntilConnectionsChange(options?: WaitOptions): Promise<void> {
    const { peers } = this.#core
    const before = peers.connectionChanges
    return this.#until({ call: 'waitUntilConnectionsChange' }, options, () => peers.connectionChanges !== before)
  }

  /**
   * Resolves when `isEndpointSubscribedTo` holds.
   *
   * @throws WaitTimeout, AbortError, InvalidArgument, EndpointClosed
   */
  waitUntilEndpointSubscribedTo(name: string, type: AnyType, options?: WaitOptions): Promise<void> {
    return this.#call(() => {
      const wait = { call: 'waitUntilEndpointSubscribedTo', subject: `${checkName('name', name)}, ${nameOf(type)}` }
      return this.#until(wait, options, () => this.isEndpointSubscribedTo(name, type))
    })
  }

  /**
   * Resolves when `isAnyEndpointSubscribedTo` holds.
   *
   * @throws WaitTimeout, AbortError, InvalidArgument, EndpointClosed
   */
  waitUntilAnyEndpointSubscribedTo(type: AnyType, options?: WaitOptions): Promise<void> {
    return this.#call(() => {
      const wait = { call: 'waitUntilAnyEndpointSubscribedTo', subject: nameOf(type) }
      return this.#until(wait, options, () => this.isAnyEndpointSubscribedTo(type))
    })
  }

  /**
   * Resolves when `areAllEndpointsSubscribedTo` holds: at once while there are no peers and `includeSelf` is false. A peer
   * that has just started may be linked a moment later; wait for it with `waitUntilConnectedTo`.
   *
   * @throws WaitTimeout, AbortError, InvalidArgument, EndpointClosed
   */
  waitUntilAllEndpointsSubscribedTo(type: AnyType, options?: WaitOptions & AllSubscribedOptions): Promise<void> {
    return this.#call(() => {
      const wait = { call: 'waitUntilAllEndpointsSubscribedTo', subject: nameOf(type) }
      checkOptions(wait.call, options, { ...WAIT_OPTIONS, ...ALL_SUBSCRIBED_OPTIONS })
      const { includeSelf, ...rest } = options ?? {}
      return this.#until(wait, rest, () => this.areAllEndpointsSubscribedTo(type, { includeSelf }))
    })
  }

  /**
   * Resolves at the next change of the subscriptions or responders of connected endpoints, or of this one. An endpoint
   * that joins or leaves with any of them is such a change too.
   *
   * @throws WaitTimeout, AbortError, InvalidArgument, EndpointClosed
   */
  waitUntilEndpointSubscriptionsChange(options?: WaitOptions): Promise<void> {
    const { peers } = this.#core
    const before = peers.interestChanges
    return this.#until(
      { call: 'waitUntilEndpointSubscriptionsChange' },
      options,
      () => peers.interestChanges !== before,
    )
  }

  /**
   * Leaves the bus. Drains first: tells its peers that it wants nothing more, and lets handlers, streams and responders
   * take what has arrived, for half of the timeout at most. Then delivers queued events, says goodbye to its peers, and
   * removes the socket file. Pending waits reject with `EndpointClosed`, streams end, and nothing keeps the process alive
   * afterwards.
   *
   * Calling it again returns the same promise: the first timeout stays. It doesn't wait for an event whose handler has
   * called it, as long as the handler does so before its first `await`; the next event is handled meanwhile, whatever the
   * `concurrency`.
   *
   * @throws CloseTimeout if events are undelivered or unhandled at the end; the endpoint is closed all the same
   * @throws InvalidArgument if the timeout can't be used; the endpoint stays open
   *
   * @example
   * ```ts
   * import { Endpoint } from 'lahja'
   *
   * const endpoint = await Endpoint.start({ name: 'service' })
   * process.on('SIGTERM', () => endpoint.close({ timeout: 2_000 }).catch(console.error))
   * ```
   */
  close(options?: CloseOptions): Promise<void> {
    try {
      checkOptions('close', options, CLOSE_OPTIONS)
      const { timeout = CLOSE_TIMEOUT } = options ?? {}
      checkTimeout(timeout)
      this.#core.countClose()
      this.#closing ??= this.#close(timeout)
      return this.#closing
    } catch (error) {
      return this.#rejected(error)
    }
  }

  /**
   * Lets the process end although the endpoint is open, as `unref` of a socket does: peers then see it as `lost`, and what
   * is queued for them is lost too. Calls with a timeout, such as `request`, keep the process alive until they are over, as
   * does a `broadcast` that waits for a peer, and a write that a stopped peer doesn't read.
   *
   * @example
   * ```ts
   * import { Endpoint } from 'lahja'
   *
   * const endpoint = await Endpoint.start({ name: 'metrics' })
   * endpoint.unref() // It reports as long as the program has something else to do.
   * ```
   */
  unref(): this {
    this.#core.keepAlive(false)
    return this
  }

  /** Takes `unref` back. */
  ref(): this {
    this.#core.keepAlive(true)
    return this
  }

  /** Calls `close()`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** @internal An async listener has rejected. */
  override [captureRejectionSymbol](thrown: unknown, ...[name]: readonly unknown[]): void {
    this.#reportListener(String(name), thrown)
  }

  /** @internal */
  [Symbol.for('nodejs.util.inspect.custom')](_depth: number, options: object, show: typeof inspect): unknown {
    if (!(#core in this)) return this // A proxy, or an object that inherits from this one.
    const { self, settings, state, peers, subscriptions, loopback } = this.#core
    const { name, id, groups } = self
    const queuedBytes = peers.all.reduce((sum, peer) => sum + peer.queuedBytes, loopback.outbox.queuedBytes)
    const counts = { peers: peers.links.size, subscriptions: subscriptions.size, queuedBytes }
    return `Endpoint ${show({ name, id, groups, directory: settings.directory, state, ...counts }, options)}`
  }

  async #close(timeout: number): Promise<void> {
    const { undelivered, unhandled } = await this.#core.close(timeout)
    if (undelivered.size === 0 && unhandled.size === 0) return
    const list = [
      ...[...undelivered].map(([peer, events]) => `${events} not delivered to ${peer}, or not acknowledged by it`),
      ...[...unhandled].map(([type, events]) => `${events} of ${type} not handled here`),
    ].join(', ')
    const share = unhandled.size > 0 ? ', of which handlers get half' : ''
    const advice = `give close() more than ${timeout} ms${share}`
    const text = `closed before all events were done: ${list}; ${advice}`
    throw new CloseTimeout(text, undelivered, unhandled)
  }

  /** What the call throws rejects it. */
  #call<Value>(call: () => Promise<Value>): Promise<Value> {
    try {
      return call()
    } catch (error) {
      return this.#rejected(error)
    }
  }

  /** Rejects a call at once, or in the next turn if there have been many in this one. */
  #rejected(error: unknown): Promise<never> {
    const turn = this.#core.turn.spendCall()
    return turn ? turn.then(() => Promise.reject(error)) : Promise.reject(error)
  }

  /** What a call that returns a stream throws, it throws at once, or the stream in the next turn if there have been many. */
  #failed<Stream>(error: unknown, streamOf: (error: LahjaError, pause: Promise<void>) => Stream): Stream {
    const pause = this.#core.turn.spendCall()
    if (pause && error instanceof LahjaError) return streamOf(error, pause)
    throw error
  }

  /** Checks an event that is about to be sent. Returns the name of its type. */
  #prepare(type: EventType, payload: unknown): string {
    this.#core.assertNotClosed()
    const name = eventNameOf(type)
    const schema = schemaOf(type)
    if (schema) validate(schema, payload, `event ${name}`)
    return name
  }

  #until(wait: NamedWait, options: WaitOptions | undefined, condition: () => boolean): Promise<void> {
    return this.#call(() => {
      const { call, subject, timedOut } = wait
      checkOptions(call, options, WAIT_OPTIONS)
      const what = subject === undefined ? call : `${call} ${subject}`
      return this.#core.waits.until(what, { ...options, timedOut }, condition)
    })
  }

  /** The channels to the endpoints that receive events or requests of a type. */
  #subscribed(type: AnyType) {
    const { routes } = this.#core
    const name = nameOf(type)
    const responders = isRequest(type) || typeof type === 'string' ? routes.responders(name) : []
    const subscribers = isRequest(type) ? [] : routes.subscribers(name)
    return [...subscribers, ...responders].filter((channel) => isEligible(name, channel))
  }

  /** Calls the listeners. An error that one of them throws is reported, and stops nothing in the endpoint. */
  #emit<Name extends keyof EndpointEvents>(name: Name, ...args: EndpointEvents[Name]): void {
    try {
      const isHeard = this.#emitInContext([name, ...args])
      if (!isHeard) this.#lossWarnings.onUnheard(name, ...args)
    } catch (thrown) {
      this.#reportListener(name, thrown)
    }
  }

  /** Emits `error`, or a process warning if there is no listener for it. */
  #report(error: LahjaError): void {
    if (this.listenerCount('error') > 0) this.#emit('error', error)
    else process.emitWarning(error)
  }

  #reportListener(name: string, thrown: unknown): void {
    const failure = handlerError(`a listener of '${name}' failed`, thrown)
    if (name === 'error') process.emitWarning(failure)
    else this.#report(failure)
  }
}

/** Shown in messages, where compilers name the class otherwise. */
Object.defineProperty(Endpoint, 'name', { value: 'Endpoint' })

/** @throws InvalidArgument */
function nameOf(type: AnyType): string {
  return isRequest(type) ? requestNameOf(type) : eventNameOf(type)
}

function isRequest(type: AnyType): type is RequestDefinition<unknown, unknown> {
  return typeof type === 'object' && type?.kind === 'request'
}
