import type { Address } from './address'
import type { Identity } from './audience'
import { Broadcaster, type BroadcastOptions } from './broadcaster'
import { type Clock, systemClock } from './clock'
import { type EventType, nameOf } from './definition'
import { CloseTimeout, describe, EndpointClosed, InvalidArgument } from './errors'
import type { Event, Handler } from './event'
import { EventStream, type StreamOptions } from './event-stream'
import { Loopback } from './loopback'
import { Membership } from './membership'
import { Mesh } from './mesh'
import { Notifier } from './notifier'
import { type EndpointOptions, type Settings, settingsOf } from './options'
import type { Peer } from './peer'
import { SocketDirectory } from './socket-directory'
import type { Subscription } from './subscription'
import { Subscriptions } from './subscriptions'
import type { Transport } from './transport'
import { checkTimeout, type WaitOptions, Waits } from './waits'

export interface SubscribeOptions {
  /** Ends the subscription. */
  readonly signal?: AbortSignal | undefined
}

export interface CloseOptions {
  /** Milliseconds for peers to take what was accepted for them. Default 5,000. */
  readonly timeout?: number
}

/** A payload may be left out where its type has room for `undefined`. */
type BroadcastArguments<Payload> = undefined extends Payload
  ? [payload?: Payload, options?: BroadcastOptions]
  : [payload: Payload, options?: BroadcastOptions]

/** The world an endpoint lives in. */
interface World {
  readonly transport: Transport
  readonly clock: Clock
}

/** A named participant of the bus. */
export class Endpoint extends Notifier implements AsyncDisposable {
  readonly #settings: Settings
  readonly #self: Address & Identity
  readonly #mesh: Mesh
  readonly #membership: Membership
  readonly #waits: Waits
  /** Waits for slow peers, which a close only makes shorter: the events have been handed over. */
  readonly #handovers: Waits
  readonly #loopback: Loopback
  readonly #broadcaster: Broadcaster
  readonly #subscriptions: Subscriptions
  readonly #handed: Promise<number>[] = []
  #closing: Promise<void> | undefined

  private constructor(settings: Settings, { transport, clock }: World) {
    super()
    const { name, groups, limits, watch, requireSubscriber } = settings
    this.#settings = settings
    this.#self = { name, groups, id: clock.incarnationId() }
    this.#waits = new Waits(clock)
    this.#handovers = new Waits(clock)
    this.#subscriptions = new Subscriptions({
      announce: (change, types) => this.#mesh.announce(change, types),
      untilClose: (promise) => this.#waits.settle('subscription.ready', {}, promise),
      failed: (error) => this.report(error),
    })
    this.#loopback = new Loopback(clock, limits, {
      event: (type, payload) => this.#subscriptions.deliver({ type, payload, origin: name }),
      gap: (count) => this.notify('gap', { peer: name, count }),
    })
    this.#membership = new Membership({
      name,
      waits: this.#waits,
      deliver: (origin, type, payload) => this.#subscriptions.deliver({ type, payload, origin }),
      notify: (event, ...args) => this.notify(event, ...args),
      report: (error) => this.report(error),
      nameLost: (error) => {
        this.report(error)
        void this.close().catch((failure) => this.report(failure))
      },
    })
    this.#broadcaster = new Broadcaster({
      self: this.#self,
      clock,
      requireSubscriber,
      frameLimit: limits.frame,
      router: this.#membership.router,
      loopback: this.#loopback,
      isSubscribed: (type) => this.#subscriptions.has(type),
    })
    this.#mesh = new Mesh({
      self: this.#self,
      transport,
      clock,
      limits,
      watch,
      interest: () => this.#subscriptions.types(),
      events: this.#membership,
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
    const transport = new SocketDirectory(settings.directory, settings.ownParents)
    return Endpoint.startIn({ transport, clock: systemClock }, settings)
  }

  /** @internal Joins a bus in another world than that of real sockets and real time. */
  static async startIn(world: World, settings: Settings): Promise<Endpoint> {
    const endpoint = new Endpoint(settings, world)
    await endpoint.#mesh.start()
    return endpoint
  }

  get name(): string {
    return this.#self.name
  }

  /** Of this one life of the endpoint. */
  get id(): string {
    return this.#self.id
  }

  get groups(): readonly string[] {
    return this.#self.groups
  }

  /** The bus: the absolute path of its directory. */
  get directory(): string {
    return this.#settings.directory
  }

  /** Everyone this endpoint is linked with. */
  get peers(): readonly Peer[] {
    return this.#membership.peers
  }

  /**
   * Sends an event to everyone who is subscribed, this endpoint included. Resolves once it is in every receiver's
   * outbox and those over their high-water mark have been waited for, `limits.patience` at most. That it resolves says
   * nothing of receipt.
   *
   * @returns the number of endpoints it was handed to
   * @throws UnserializablePayload, PayloadTooLarge, NoSubscribers, InvalidArgument, EndpointClosed: nobody has got it.
   *   AbortError: it was handed over, and only the wait ended
   */
  broadcast<Payload>(type: EventType<Payload>, ...rest: BroadcastArguments<Payload>): Promise<number>
  broadcast(type: EventType, payload?: unknown, options?: BroadcastOptions): Promise<number> {
    try {
      const count = this.#send(type, payload, options)
      const pressure = this.#broadcaster.pressure()
      if (!pressure) return this.#resolved(count)
      const signal = options?.signal
      return (signal ? this.#handovers.settle('broadcast', { signal }, pressure) : pressure).then(() => count)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /**
   * Like `broadcast`, without a wait. The event is taken in any case; `false` says that an outbox is over its
   * high-water mark, and that it is time to wait for `drained()`. An outbox at its cap drops its oldest events.
   *
   * @throws UnserializablePayload, PayloadTooLarge, NoSubscribers, InvalidArgument, EndpointClosed
   */
  broadcastNowait<Payload>(type: EventType<Payload>, ...rest: BroadcastArguments<Payload>): boolean
  broadcastNowait(type: EventType, payload?: unknown, options?: BroadcastOptions): boolean {
    this.#send(type, payload, options)
    return !this.#broadcaster.isOverMark
  }

  /** Resolves when no outbox that is waited for is over its high-water mark. */
  async drained(options: WaitOptions = {}): Promise<void> {
    const outboxes = [this.#loopback.outbox, ...[...this.#membership.links].map((link) => link.outbox)]
    await this.#waits.settle('drained', options, Promise.all(outboxes.map((outbox) => outbox.relief())))
  }

  /**
   * Calls the handler for each event of the type, one at a time and in each sender's order. A handler that throws is
   * reported as `error` and goes on with the next event.
   *
   * @throws InvalidArgument, EndpointClosed
   */
  subscribe<Payload>(
    type: EventType<Payload>,
    handler: Handler<Payload>,
    options: SubscribeOptions = {},
  ): Subscription {
    this.#assertOpen()
    if (typeof handler !== 'function')
      throw new InvalidArgument(`handler: expected a function, got ${describe(handler)}`)
    return this.#subscriptions.add(nameOf(type), handler, options)
  }

  /**
   * The events of a type for `for await`, from this call on.
   *
   * @throws InvalidArgument, EndpointClosed
   */
  stream<Payload>(type: EventType<Payload>, options: StreamOptions = {}): EventStream<Payload> {
    this.#assertOpen()
    const name = nameOf(type)
    return new EventStream<Payload>(options, (receive, ended) => this.#subscriptions.add(name, receive, { ended }))
  }

  /**
   * The next event of a type.
   *
   * @throws WaitTimeout, AbortError, InvalidArgument, EndpointClosed
   */
  async waitFor<Payload>(type: EventType<Payload>, options: WaitOptions = {}): Promise<Event<Payload>> {
    this.#assertOpen()
    return this.#waits.wait<Event<Payload>>(`waitFor ${nameOf(type)}`, options, ({ resolve }) => {
      const subscription = this.subscribe(type, resolve)
      return () => subscription.unsubscribe()
    })
  }

  /** Is there a link with an endpoint of this name? With itself, always. */
  isConnectedTo(name: string): boolean {
    return this.#membership.isConnectedTo(name)
  }

  /**
   * Resolves when there is a link with each of the names.
   *
   * @throws WaitTimeout, AbortError, EndpointClosed
   */
  async waitUntilConnectedTo(names: string | readonly string[], options: WaitOptions = {}): Promise<void> {
    await this.#membership.waitUntilConnectedTo(typeof names === 'string' ? [names] : names, options)
  }

  /**
   * Resolves when a peer has joined, left or been lost.
   *
   * @throws WaitTimeout, AbortError, EndpointClosed
   */
  async waitUntilConnectionsChange(options: WaitOptions = {}): Promise<void> {
    await this.#membership.waitUntilConnectionsChange(options)
  }

  /**
   * Leaves the bus: everything that was accepted is delivered to the peers that read, they see `left`, the socket file
   * is removed and nothing keeps the process alive any more. Pending waits reject with `EndpointClosed`, streams end.
   * Calling it again returns the same promise.
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
    this.#waits.end(this.#closedError())
    const [undelivered] = await Promise.all([this.#mesh.close(timeout), this.#loopback.outbox.flushed()])
    this.#subscriptions.close()
    const missed = new Map([...undelivered].filter(([, events]) => events > 0))
    if (missed.size === 0) return
    const list = [...missed].map(([peer, events]) => `${events} for ${peer}`).join(', ')
    throw new CloseTimeout(`expected peers to take all events within ${timeout} ms, got some left: ${list}`, missed)
  }

  #send(type: EventType, payload: unknown, options: BroadcastOptions | undefined): number {
    this.#assertOpen()
    return this.#broadcaster.send(nameOf(type), payload, options)
  }

  /** The same promise for the same number: nobody waits, so nobody needs one of its own. */
  #resolved(count: number): Promise<number> {
    const known = this.#handed[count]
    if (known) return known
    const promise = Promise.resolve(count)
    this.#handed[count] = promise
    return promise
  }

  #assertOpen(): void {
    if (this.#closing) throw this.#closedError()
  }

  #closedError(): EndpointClosed {
    return new EndpointClosed(`endpoint ${this.name}: expected it to be open, but close() has been called`)
  }
}
