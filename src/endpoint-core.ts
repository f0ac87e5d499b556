import type { Channel } from './channel/channel'
import { Loopback } from './channel/loopback'
import { MemoryBudget } from './channel/memory-budget'
import type { EndpointEvents } from './endpoint-events'
import { Broadcaster } from './events/broadcaster'
import { eventCounts } from './events/event-count'
import { QueueReceiver } from './events/queue-receiver'
import { QueueSender } from './events/queue-sender'
import type { SubscribeSettings } from './events/subscribe-options'
import type { Subscription } from './events/subscription'
import { Subscriptions } from './events/subscriptions'
import { TurnBudget } from './events/turn-budget'
import { InterestAnnouncer } from './interest-announcer'
import { introspectionServices, UNANNOUNCED } from './introspection'
import type { EndpointInfo } from './mesh/agreement'
import type { InterestChange } from './mesh/interest-exchange'
import type { Link, PaceChange } from './mesh/link'
import { endedInReading, type LeftEnding, type LostEnding } from './mesh/link-ending'
import { Mesh, type MeshEvents } from './mesh/mesh'
import { BoundaryCrossed, EndpointClosed, type LahjaError, type NameInUse } from './model/errors'
import type { Event, EventHeaders } from './model/event'
import { type Interest, isInterestedIn, isQueued } from './model/interest'
import { endpointNameOf, type Settings } from './options'
import { type Peer, Peers, snapshotOf } from './peers'
import type { Clock } from './platform/clock'
import { Deadline } from './platform/deadline'
import { debugLogOf } from './platform/debug-log'
import { Waits } from './platform/waits'
import type { World } from './platform/world'
import { MemberInboxes } from './queues/member-inboxes'
import { NO_QUEUE } from './queues/queue-event'
import { type LeftInHand, type QueueInfo, WorkQueues } from './queues/work-queues'
import { ReportLimiter } from './report-limiter'
import { PendingRequests } from './requests/pending-requests'
import { requestCounts } from './requests/request-count'
import { Requester } from './requests/requester'
import { Responders, type Service } from './requests/responders'
import { Ingress } from './routing/ingress'
import { Routes } from './routing/routes'
import { type EndpointStats, processStats } from './stats'
import type { ChannelMessage } from './wire/message'
import { SLAB_BYTES } from './wire/slabs'

/** How the core reaches the endpoint's listeners. */
export interface EndpointCoreEvents {
  readonly emit: <Name extends keyof EndpointEvents>(name: Name, ...args: EndpointEvents[Name]) => void
  readonly report: (error: LahjaError) => void
  /** Whether anything listens to errors; if not, they become process warnings. */
  readonly hearsErrors: () => boolean
  /** Another endpoint holds the name: this one must leave the bus. */
  readonly nameLost: () => void
}

/** Events that an endpoint has neither delivered nor handled when it is closed. */
export interface CloseLeftovers {
  /** Numbers of events that peers didn't take, by peer name. */
  readonly undelivered: ReadonlyMap<string, number>
  /** Numbers of events that arrived here, by type. */
  readonly unhandled: ReadonlyMap<string, number>
}

/**
 * Connects the parts of an endpoint: messages from links go to subscriptions, queues and requests; peers that join or
 * leave go to routes, peers and the endpoint's listeners.
 *
 *     open ──close──▶ draining ──handlers done or half the timeout──▶ closed
 */
export class EndpointCore implements MeshEvents {
  readonly self: EndpointInfo
  readonly settings: Settings
  readonly waits: Waits
  readonly turn: TurnBudget
  readonly peers: Peers
  readonly #eventCounts = eventCounts()
  readonly #requestCounts = requestCounts()
  readonly #startedAt: number
  readonly routes: Routes<Channel>
  readonly loopback: Loopback
  readonly announcer: InterestAnnouncer
  readonly broadcaster: Broadcaster
  readonly subscriptions: Subscriptions
  readonly responders: Responders
  readonly requester: Requester
  readonly #clock: Clock
  readonly #events: EndpointCoreEvents
  readonly #reports: ReportLimiter
  readonly #ingress: Ingress
  readonly #queueSender: QueueSender
  readonly #queueReceiver: QueueReceiver
  readonly #workQueues: WorkQueues
  readonly #inboxes: MemberInboxes
  readonly #pendingRequests: PendingRequests
  readonly #mesh: Mesh
  #state: 'open' | 'draining' | 'closed' = 'open'
  #closeCalls = 0
  /** Numbers of events that this endpoint, once it is closed, has not handled, by type. */
  #unhandled = new Map<string, number>()

  /** Numbers of queue events in the hands of peers that this endpoint gave up when it closed, by peer name. */
  readonly #abandoned = new Map<string, number>()

  constructor(settings: Settings, world: World, events: EndpointCoreEvents) {
    const { clock } = world
    const { groups, pid, accepts, limits } = settings
    const id = clock.incarnationId()
    this.#reports = new ReportLimiter(clock, events.report, events.hearsErrors)
    const report = (error: LahjaError) => this.#reports.report(error)
    this.self = {
      name: endpointNameOf(settings, id),
      groups,
      id,
      pid,
      frameLimit: limits.frameBytes,
      window: limits.windowBytes,
      requestLimit: limits.pendingRequests,
      accepts,
    }
    this.settings = settings
    this.#clock = clock
    this.#startedAt = clock.now()
    this.#events = events
    this.peers = new Peers(clock)
    this.turn = new TurnBudget(clock, SLAB_BYTES)
    this.waits = new Waits(clock, () => this.turn.spendCall())
    this.routes = new Routes<Channel>(this.self)
    this.#ingress = new Ingress(this.self, accepts)
    const budget = new MemoryBudget(limits.outboxTotalBytes)
    const onDropped = (type: string) => {
      this.#eventCounts.of(type).dropped++
    }
    this.loopback = new Loopback(
      this.self,
      { clock, limits, budget, onDropped },
      {
        event: (type, payload, headers, bytes) => this.#deliver(this.loopback, type, payload, headers, bytes),
        message: (message, bytes) => this.#dispatch(this.loopback, message, bytes),
        gap: (count) => events.emit('gap', { peer: this.#selfAsPeer(), count }),
        lagging: () => this.#queueSender.onLagging(this.loopback),
        recovered: () => this.#workQueues.onPace(this.loopback),
        bulkDrained: () => this.bulkDrained(this.loopback),
      },
    )
    this.announcer = new InterestAnnouncer({
      self: this.self,
      loopback: this.loopback,
      routes: this.routes,
      waits: this.waits,
      limit: limits.interests,
      changed: (change, interest) => {
        if (change === 'subscribe' && interest.responds) this.#pendingRequests.onResponders(this.loopback, [interest])
        if (change === 'subscribe') this.#workQueues.onSubscribe(this.loopback, this.#wantingUs([interest]))
        else this.#workQueues.onUnsubscribe(this.loopback, [interest], false)
        this.#interestChanged()
      },
      peers: () => this.#mesh,
    })
    const { announcer } = this
    const idle = () => this.#handlersChanged()
    const closeCalls = () => this.#closeCalls
    const hasOthers = (queue: string, type: string) => {
      const { pushMembers = [], pullMembers = [] } = this.routes.queue(type, queue) ?? {}
      return [...pushMembers, ...pullMembers].some(({ destination }) => !destination.isOwn)
    }
    const isShared = (queue: string, type: string, own: number) => {
      const { pushMembers = [], pullMembers = [] } = this.routes.queue(type, queue) ?? {}
      return (
        pushMembers.length > 0 || pullMembers.some(({ destination, member }) => !destination.isOwn || member !== own)
      )
    }
    this.#inboxes = new MemberInboxes({
      clock,
      hasOthers,
      isShared,
      admits: (channel, type) => channel.isOwn || this.#admits(channel, 'event', type),
      report,
      idle,
    })
    const { turn } = this
    this.subscriptions = new Subscriptions({
      announcer,
      report,
      idle,
      closeCalls,
      turn,
      clock,
      inboxes: this.#inboxes,
      counts: this.#eventCounts,
    })
    this.#queueReceiver = new QueueReceiver({
      clock,
      membersOf: (queue, type) => this.subscriptions.membersOf(queue, type),
      hasOthers,
      report,
      settled: idle,
    })
    this.#queueSender = new QueueSender({
      routes: this.routes,
      state: () => this.#state,
      report,
      origin: this.self.name,
      keep: (assignment) => this.#workQueues.keep(assignment),
    })
    this.#workQueues = new WorkQueues({
      clock,
      limits,
      budget,
      routes: this.routes,
      state: () => this.#state,
      report,
      changed: idle,
      unfinished: (channel, event) => {
        const link = [...this.peers.links].find((each) => each === channel)
        events.emit('unfinished', { peer: link ? this.peers.peerOf(link) : this.#selfAsPeer(), event })
      },
      origin: this.self.name,
      assign: (event, members, isLastResort) => this.#queueSender.assign(event, members, isLastResort),
      broadcast: (type, payload, internal, headers) => {
        this.broadcaster.broadcastNowait(type, payload, { requireSubscriber: true, internal, headers })
      },
    })
    // A peer is told the error too: it is worth no process warning.
    const reportToListeners = (error: LahjaError) => events.hearsErrors() && report(error)
    this.responders = new Responders({
      announcer,
      report,
      reportToListeners,
      reportUnsent: (error) => this.#reports.report(error, true),
      idle,
      closeCalls,
      limit: limits.pendingRequests,
      services: settings.introspection ? introspectionServices(this) : [],
      turn: this.turn,
      counts: this.#requestCounts,
    })
    this.#pendingRequests = new PendingRequests(
      this.routes,
      () => [this.loopback, ...this.peers.links],
      limits.frameBytes,
    )
    this.requester = new Requester(this.#pendingRequests, this.waits, this.turn, clock, this.#requestCounts)
    this.broadcaster = new Broadcaster({
      ...settings,
      frameLimit: limits.frameBytes,
      routes: this.routes,
      queues: this.#queueSender,
      workQueues: this.#workQueues,
      slabs: budget.slabs,
      waits: this.waits,
      turn: this.turn,
      report,
      counts: this.#eventCounts,
    })
    // Created last: the parts above reach it only through callbacks, never during construction.
    this.#mesh = new Mesh({
      ...settings,
      ...world,
      debug: debugLogOf(this.self.name),
      self: this.self,
      budget,
      onDropped,
      interest: () => (this.#state === 'open' ? announcer.forPeers() : []),
      events: this,
    })
  }

  get state(): 'open' | 'draining' | 'closed' {
    return this.#state
  }

  /** @param waitForName how long the name is waited for */
  async start(waitForName: Deadline): Promise<void> {
    try {
      await this.#mesh.start(waitForName)
    } catch (error) {
      this.#reports.close()
      throw error
    }
  }

  /** Whether the endpoint keeps the process alive; a close does. */
  keepAlive(isWanted: boolean): void {
    if (this.#state === 'open') this.#mesh.keepAlive(isWanted)
  }

  /** @throws EndpointClosed once `close` has been called */
  assertOpen(): void {
    if (this.#state !== 'open') throw this.#closedError()
  }

  /** For calls that running handlers may still make while the endpoint drains. @throws EndpointClosed */
  assertNotClosed(): void {
    if (this.#state === 'closed') throw this.#closedError()
  }

  /** @throws InvalidArgument for one subscription too many */
  subscribe(settings: SubscribeSettings, ended?: () => void): Subscription {
    this.announcer.assertAllowed(settings.interest)
    return this.subscriptions.add(settings, ended)
  }

  /** @throws AlreadyResponding, InvalidArgument for one responder too many */
  respond(service: Service): Subscription {
    this.announcer.assertAllowed({ type: service.type, responds: true })
    return this.responders.add(service)
  }

  /** Whether this endpoint is linked with an endpoint of each name, except its own. */
  isConnectedTo(names: readonly string[]): boolean {
    return this.peers.hasAll(names.filter((name) => name !== this.self.name))
  }

  /** What queues with pull members are up to. */
  queues(): QueueInfo[] {
    return this.#workQueues.info()
  }

  /** What this endpoint has done and is doing, in numbers. */
  stats(): EndpointStats {
    const { name, id, pid } = this.self
    return {
      name,
      id,
      pid,
      state: this.#state,
      uptimeMs: this.#clock.now() - this.#startedAt,
      events: this.#eventCounts.all().map((count) => ({ ...count })),
      requests: this.#requestCounts.all().map((count) => count.stats()),
      peers: this.peers.stats,
      subscriptions: this.subscriptions.stats,
      queues: this.queues(),
      process: processStats(),
    }
  }

  /** Resolves when all peers and queues are below the high-water mark, or are no longer waited for. */
  drained(): Promise<unknown> {
    const waits: Promise<void>[] = this.#workQueues.drains()
    for (const { outbox } of [this.loopback, ...this.peers.links]) if (outbox.needsDrain) waits.push(outbox.drained())
    // A sender of large events gets here for each: mostly there is one peer to wait for.
    const [only] = waits
    return only && waits.length === 1 ? only : Promise.all(waits)
  }

  /** Counts calls of `close`, so that a handler that calls it is not waited for. */
  countClose(): void {
    this.#closeCalls++
  }

  /**
   * Drains and leaves the bus.
   *
   * @param timeout milliseconds; handlers get half of it at most
   */
  async close(timeout: number): Promise<CloseLeftovers> {
    const deadline = new Deadline(this.#clock, timeout)
    this.#mesh.keepAlive(true)
    this.#state = 'draining'
    // Handlers may be called from here on, and call `close`: then its first caller must have the promise already.
    await Promise.resolve()
    await this.#drain(deadline.within(timeout / 2))
    this.#state = 'closed'
    // From now on nothing is acknowledged, so that peers count the same events as unhandled.
    for (const { receiveWindow } of this.peers.links) receiveWindow.finish()
    const left = this.#queueReceiver.stop()
    this.#inboxes.stop()
    this.subscriptions.returnWaiting()
    this.#unhandled = this.subscriptions.unhandled()
    this.subscriptions.close()
    this.waits.end(this.#closedError())
    const undelivered = await this.#leave(deadline)
    this.#reports.close()
    // Only now, as queue events come until the links are closed.
    const unhandled = new Map(this.#unhandled)
    for (const [type, count] of left) unhandled.set(type, (unhandled.get(type) ?? 0) + count)
    return { undelivered, unhandled }
  }

  // Called by the mesh:

  joined(link: Link): void {
    for (const interest of link.interest) this.routes.add(link, interest)
    this.#workQueues.onSubscribe(link, this.#wantingUs(link.interest))
    this.peers.add(link)
    this.waits.changed()
    this.#pendingRequests.onResponders(link, [...link.interest].filter(({ responds }) => responds).concat(UNANNOUNCED))
    this.#events.emit('joined', this.peers.peerOf(link))
  }

  left(link: Link, { undelivered, unconfirmed }: LeftEnding): void {
    const { unsent, redelivered, unfinished, inHand } = this.#forget(link, { hasLeft: true, isRead: true })
    // Queue events are among those that were not sent, or not acknowledged; what others have been given is not lost.
    const unhandled = Math.max(undelivered - unsent + unconfirmed - unfinished, 0)
    const unfinishedEvents = inHand.unfinished
    this.#tellUnfinished(link, unfinishedEvents)
    this.#events.emit('left', this.peers.peerOf(link), {
      unfinished: unfinished + unsent - redelivered + unfinishedEvents.length,
      unfinishedEvents,
      unhandled,
    })
  }

  lost(link: Link, { cause, undelivered, unconfirmed }: LostEnding): void {
    const { redelivered, unfinished, inHand } = this.#forget(link, { hasLeft: false, isRead: endedInReading(cause) })
    const unfinishedEvents = inHand.unfinished
    this.#tellUnfinished(link, unfinishedEvents)
    this.#events.emit('lost', this.peers.peerOf(link), {
      cause,
      undelivered: undelivered - redelivered,
      unconfirmed,
      unfinished: unfinished + unfinishedEvents.length,
      unfinishedEvents,
    })
  }

  #tellUnfinished(link: Link, events: readonly Event[]): void {
    for (const event of events) this.#events.emit('unfinished', { peer: this.peers.peerOf(link), event })
  }

  abandoned(link: Link, isRead: boolean): void {
    const { inHand } = this.#forget(link, { hasLeft: false, isRead: false })
    // One that has read the goodbye handles what it has in hand.
    if (isRead || inHand.unfinished.length === 0) return
    this.#abandoned.set(link.identity.name, inHand.unfinished.length)
    this.#tellUnfinished(link, inHand.unfinished)
  }

  interest(link: Link, change: InterestChange): void {
    const { kind, interests } = change
    for (const interest of interests) {
      if (kind === 'subscribe') this.routes.add(link, interest)
      else this.routes.remove(link, interest)
    }
    const responds = interests.filter((interest) => interest.responds)
    if (kind === 'subscribe') {
      this.#workQueues.onSubscribe(link, this.#wantingUs(interests))
      this.#pendingRequests.onResponders(link, responds)
    } else {
      const isClosing = change.isLast !== undefined
      this.#workQueues.onUnsubscribe(link, interests, isClosing)
      if (interests.some(isQueued)) this.#queueSender.onMembersLeft(link, isClosing)
      this.#pendingRequests.onRespondersLeft(link, responds)
    }
    if (interests.length === 0) return
    this.#interestChanged()
    this.#events.emit('subscriptionsChanged', this.peers.peerOf(link))
  }

  event(link: Link, type: string, payload: unknown, headers: EventHeaders, bytes: number): void {
    if (this.#admits(link, 'event', type)) this.#deliver(link, type, payload, headers, bytes)
  }

  message(link: Link, message: ChannelMessage, bytes: number): void {
    if (message.kind === 'assign' && !this.#admits(link, 'event', message.type)) {
      link.sendMessage({ kind: 'settle', count: 1 })
    } else if (message.kind === 'request' && !this.#admits(link, 'request', message.type)) {
      link.sendMessage({ kind: 'decline', id: message.id })
    } else this.#dispatch(link, message, bytes)
  }

  gap(link: Link, count: number): void {
    this.peers.noteGap(link, count)
    this.#events.emit('gap', { peer: this.peers.peerOf(link), count })
  }

  pace(link: Link, change: PaceChange): void {
    if (change === 'lagging') this.peers.noteLag(link)
    this.#events.emit(change, this.peers.peerOf(link))
    if (change === 'lagging') this.#queueSender.onLagging(link)
    this.#workQueues.onPace(link)
    this.#pendingRequests.retry()
  }

  bulkDrained(channel: Channel): void {
    this.#pendingRequests.onBulkDrained(channel)
    this.responders.onBulkDrained(channel)
  }

  hasWaitingFor(link: Link): boolean {
    return this.#workQueues.hasWaitingFor(link)
  }

  nothingWaitsFor(link: Link): Promise<void> {
    return this.#workQueues.nothingWaitsFor(link)
  }

  error(error: LahjaError): void {
    this.#reports.report(error)
  }

  nameLost(error: NameInUse): void {
    this.#reports.report(error)
    this.#events.nameLost()
  }

  #deliver(channel: Channel, type: string, payload: unknown, headers: EventHeaders, bytes: number): void {
    this.#countReceived(type, bytes)
    if (this.#state === 'closed') return void this.#unhandled.set(type, (this.#unhandled.get(type) ?? 0) + 1)
    this.subscriptions.deliver({ type, payload, origin: channel.identity.name, headers }, channel)
  }

  #countReceived(type: string, bytes: number): void {
    const count = this.#eventCounts.of(type)
    count.received++
    count.receivedBytes += bytes
  }

  #dispatch(channel: Channel, message: ChannelMessage, bytes: number): void {
    switch (message.kind) {
      case 'assign':
        this.#countReceived(message.type, bytes)
        return this.#queueReceiver.assign(message, channel)
      case 'settle':
        return this.#queueSender.settle(channel, message.count)
      case 'return':
        return this.#queueSender.onReturn(channel, message)
      case 'give':
        this.#countReceived(message.type, bytes)
        return this.#inboxes.take(message, channel)
      case 'progress':
        return this.#workQueues.onProgress(channel, message)
      case 'recall':
        return this.#inboxes.recall(message, channel)
      case 'request':
      case 'cancel':
        return this.responders.onMessage(channel, message)
      case 'response':
      case 'failure':
      case 'decline':
        return this.#pendingRequests.onMessage(channel, message)
      default:
        return message satisfies never
    }
  }

  /** Removes a link and settles all queue events and requests in flight on it. */
  #forget(link: Link, { hasLeft, isRead }: { readonly hasLeft: boolean; readonly isRead: boolean }) {
    this.peers.delete(link, hasLeft)
    this.routes.removeAll(link)
    this.waits.changed()
    this.#inboxes.onClosed(link, hasLeft)
    const recovered = this.#queueSender.onClosed(link)
    const inHand: LeftInHand = this.#workQueues.onClosed(link, isRead)
    this.#pendingRequests.onClosed(link)
    this.responders.onClosed(link)
    return { ...recovered, inHand }
  }

  /** Whether an event or request of a peer is let in; reports it if not. */
  #admits({ identity }: Channel, what: 'event' | 'request', type: string): boolean {
    const refusal = this.#ingress.refusal(what, type)
    if (refusal === undefined) return true
    this.#reports.report(new BoundaryCrossed(`${what} ${type} from ${identity.name} was refused: ${refusal}`))
    return false
  }

  /** The interests that include events of this endpoint. */
  #wantingUs(interests: Iterable<Interest>): readonly Interest[] {
    return [...interests].filter((interest) => isInterestedIn(interest, this.self))
  }

  /** The interest of a peer, or our own, has changed. */
  #interestChanged(): void {
    this.peers.noteInterestChange()
    this.waits.changed()
  }

  /** Only a close waits for handlers. */
  #handlersChanged(): void {
    if (this.#state !== 'open') this.waits.changed()
  }

  get #isIdle(): boolean {
    return this.subscriptions.isIdle && this.#queueReceiver.isIdle && this.#inboxes.isIdle && this.responders.isIdle
  }

  /** Whether no queue keeps an event that a member may have, and this endpoint's own members have none in hand. */
  get #isDealt(): boolean {
    return this.#workQueues.isDealt && this.#workQueues.inHand(this.loopback) === 0
  }

  /** Lets handlers finish, also for what peers sent before they knew of the close. */
  async #drain(deadline: Deadline): Promise<void> {
    this.#queueReceiver.leave()
    this.#workQueues.leave()
    this.#inboxes.leave()
    let isDrained = false
    // What begins later might not end in time.
    const halfway = this.waits.reached(deadline.within(deadline.left / 2), () => isDrained)
    void halfway.then((isInTime) => isInTime || this.#inboxes.finish())
    this.subscriptions.returnAssigned()
    const withdrawn = this.#mesh.unsubscribeAll([...this.announcer.forPeers()], deadline, {
      mayReturn: this.#mayReturn,
      isServed: (link) => !link.receiveWindow.isEmpty || this.#inboxes.hasWorkOf(link),
    })
    this.responders.close()
    await withdrawn
    const { outbox } = this.loopback
    // Handlers may send this endpoint's own subscriptions more.
    do {
      await this.waits.fulfilled(deadline, outbox.flushed())
      await this.waits.reached(deadline, () => this.#isIdle && this.#isDealt)
    } while (!outbox.isEmpty && deadline.left > 0)
    isDrained = true
    this.waits.changed()
    this.#workQueues.dealOut()
  }

  /** Whether a peer has queue events in hand, and so may return them. */
  readonly #mayReturn = (link: Link): boolean => this.#queueSender.inFlight(link) + this.#workQueues.inHand(link) > 0

  async #leave(deadline: Deadline): Promise<ReadonlyMap<string, number>> {
    this.#queueReceiver.flush()
    this.#inboxes.report()
    // What own members have handled, or given back, is known before the rest is lost.
    await this.loopback.outbox.controlWritten()
    const waiting = this.#workQueues.loseWaiting()
    const undelivered = await this.#mesh.close(deadline, this.#mayReturn)
    for (const [queue, count] of waiting) undelivered.set(queue === NO_QUEUE ? 'any queue' : `queue ${queue}`, count)
    for (const [peer, count] of this.#abandoned) undelivered.set(peer, (undelivered.get(peer) ?? 0) + count)
    undelivered.set(this.self.name, this.loopback.close())
    this.#workQueues.onClosed(this.loopback, true)
    this.responders.onClosed(this.loopback)
    return new Map([...undelivered].filter(([, events]) => events > 0))
  }

  #closedError(): EndpointClosed {
    return new EndpointClosed(`endpoint ${this.self.name} is closed: close() has been called`)
  }

  #selfAsPeer(): Peer {
    const { outbox } = this.loopback
    const state = outbox.isLagging ? 'lagging' : 'connected'
    return snapshotOf(this.self, state, this.announcer.interests, outbox, this.#clock.now() - this.#startedAt)
  }
}
