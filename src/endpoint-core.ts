import type { Channel } from './channel/channel'
import { Loopback } from './channel/loopback'
import { MemoryBudget } from './channel/memory-budget'
import type { EndpointEvents } from './endpoint-events'
import { Broadcaster } from './events/broadcaster'
import { Queues } from './events/queues'
import { Settlements } from './events/settlements'
import { Subscriptions } from './events/subscriptions'
import { Membership, type Receiver, type Remains } from './membership'
import type { Link } from './mesh/link'
import { Mesh } from './mesh/mesh'
import type { Session } from './mesh/session'
import type { Identity } from './model/audience'
import { boundaryOf, isWithin } from './model/boundary'
import { BoundaryCrossed, type LahjaError, NoSubscribers } from './model/errors'
import { type Interest, InterestSet } from './model/interest'
import type { Settings } from './options'
import type { Address } from './platform/address'
import type { Clock } from './platform/clock'
import type { Transport } from './platform/transport'
import { Waits } from './platform/waits'
import { PendingRequests } from './requests/pending-requests'
import { Requester } from './requests/requester'
import { Responders } from './requests/responders'
import { Ingress } from './routing/ingress'
import { Routes } from './routing/routes'
import { assignmentOf } from './wire/codec'
import type { Frame } from './wire/frame'
import type { ChannelMessage } from './wire/message'

/** The world an endpoint lives in. */
export interface World {
  readonly transport: Transport
  readonly clock: Clock
}

/** What a participant tells its endpoint. */
export interface EndpointCoreEvents {
  readonly notify: <Name extends keyof EndpointEvents>(name: Name, ...args: EndpointEvents[Name]) => void
  readonly report: (error: LahjaError) => void
  readonly nameLost: () => void
}

/** What an endpoint is made of, put together: what comes in finds its room, and what goes out its way. */
export class EndpointCore implements Receiver {
  readonly self: Address & Identity
  readonly waits: Waits
  /** Waits that a close makes shorter, but does not end: for slow peers, and for what has begun. */
  readonly handovers: Waits
  readonly membership: Membership
  readonly routes: Routes<Channel>
  readonly broadcaster: Broadcaster
  readonly subscriptions: Subscriptions
  readonly responders: Responders
  readonly asker: Requester
  readonly loopback: Loopback
  /** What this endpoint's own subscriptions and responders want. */
  readonly interest = new InterestSet()
  readonly #clock: Clock
  /** Milliseconds to wait for peers that don't answer. */
  readonly #patience: number
  readonly #events: EndpointCoreEvents
  readonly #mesh: Mesh
  readonly #queues = new Queues()
  readonly #requests: PendingRequests
  readonly #settlements: Settlements
  #state: 'open' | 'leaving' = 'open'

  constructor(settings: Settings, { transport, clock }: World, events: EndpointCoreEvents) {
    const { name, groups, pid, accepts, secret, limits, watch, overflow, requireSubscriber } = settings
    this.self = { name, groups, id: clock.incarnationId() }
    this.#clock = clock
    this.#patience = limits.patience
    this.#events = events
    this.waits = new Waits(clock)
    this.handovers = new Waits(clock)
    this.#settlements = new Settlements(clock)
    this.routes = new Routes<Channel>(this.self)
    const budget = new MemoryBudget(limits.outboxTotalBytes)
    this.loopback = new Loopback(
      this.self,
      { clock, limits, budget },
      {
        event: (type, payload) => this.event(this.loopback, type, payload),
        gap: (count) => events.notify('gap', { peer: name, count }),
        message: (message) => this.message(this.loopback, message),
        lagging: () => this.lagging(this.loopback),
      },
    )
    const announcements = {
      announce: (change: 'subscribe' | 'unsubscribe', interest: Interest) => this.#announce(change, interest),
      known: () => this.waits.settle('ready', {}, this.#mesh.known()),
      failed: events.report,
    }
    this.subscriptions = new Subscriptions({
      ...announcements,
      settled: (channel) => this.#settled(channel),
      idle: () => this.handovers.changed(),
    })
    const limit = limits.pendingRequests
    this.responders = new Responders({ ...announcements, limit, idle: () => this.handovers.changed() })
    this.#requests = new PendingRequests({ responders: (type) => this.routes.responders(type) })
    this.asker = new Requester(this.#requests, this.waits)
    this.membership = new Membership({
      name,
      gate: new Ingress(this.self, accepts),
      routes: this.routes,
      waits: this.waits,
      receiver: this,
      notify: events.notify,
      report: events.report,
      nameLost: (error) => {
        events.report(error)
        events.nameLost()
      },
    })
    this.broadcaster = new Broadcaster({
      clock,
      overflow,
      requireSubscriber,
      frameLimit: limits.frameBytes,
      routes: this.routes,
      queues: this.#queues,
      slabs: budget.slabs,
    })
    this.#mesh = new Mesh({
      self: {
        ...this.self,
        pid,
        frameLimit: limits.frameBytes,
        window: limits.windowBytes,
        requestLimit: limit,
        accepts,
      },
      transport,
      clock,
      limits,
      budget,
      watch,
      secret,
      interest: () => this.#told(),
      events: this.membership,
    })
  }

  start(): Promise<void> {
    return this.#mesh.start()
  }

  event(channel: Channel, type: string, payload: unknown): void {
    this.subscriptions.deliver({ type, payload, origin: channel.identity.name }, channel)
  }

  message(channel: Channel, message: ChannelMessage): void {
    switch (message.kind) {
      case 'assign':
        return this.subscriptions.assign(message, channel)
      case 'settle':
        return this.#queues.settled(channel, message.count)
      case 'return':
        if (!this.#queues.hasGiven(channel, message)) return this.#reportUngiven(message, channel)
        this.#queues.settled(channel, 1)
        if (this.#state === 'open' && this.broadcaster.giveToAnother({ ...message, kind: 'assign' })) return
        return this.#reportReturned(message, channel)
      case 'request':
      case 'cancel':
        return this.responders.message(channel, message)
      case 'response':
      case 'failure':
      case 'decline':
        return this.#requests.message(channel, message)
      default:
        return message satisfies never
    }
  }

  wanted(): void {
    this.#requests.advance()
  }

  unwanted(link: Session): void {
    const frames = link.outbox.removeAssignments((frame) => !this.broadcaster.isMember(link, frame))
    this.#takeFrom(link, frames)
  }

  lagging(channel: Channel): void {
    const frames = channel.outbox.removeAssignments((frame) => this.broadcaster.hasAnother(frame))
    this.#takeFrom(channel, frames)
  }

  ended(link: Link): Remains {
    const frames = link.outbox.removeAssignments(() => true)
    const inHand = this.#queues.ended(link)
    const passedOn = this.#state === 'open' ? this.#passOn(frames) : 0
    this.#requests.ended(link)
    this.responders.ended(link)
    return { passedOn, unfinished: Math.max(inHand - frames.length, 0) }
  }

  /** Milliseconds, to tell how long something took. */
  now(): number {
    return this.#clock.now()
  }

  /**
   * Takes no more of what others can do, and lets what has begun come to its end, for so long at most. Nothing to wait
   * for where nothing has begun.
   */
  finish(timeout: number): Promise<void> | undefined {
    const wasMember = this.subscriptions.leaveQueues()
    const wasResponder = this.responders.close()
    const isIdle = this.#isIdle && this.loopback.outbox.queuedEvents === 0
    if (!wasMember && !wasResponder && isIdle) return undefined
    return this.#finish(timeout)
  }

  /** Leaves the bus. Returns how many events were not delivered, by peer name. */
  async leave(timeout: number): Promise<Map<string, number>> {
    this.#state = 'leaving'
    this.#settlements.flush()
    const [undelivered] = await Promise.all([this.#mesh.close(timeout), this.#deliverOwn(timeout)])
    undelivered.set(this.self.name, this.loopback.end() + this.#waitingOwn)
    this.subscriptions.close()
    this.responders.ended(this.loopback)
    return new Map([...undelivered].filter(([, events]) => events > 0))
  }

  get #isIdle(): boolean {
    return this.subscriptions.isIdle && this.responders.isIdle && this.#waitingOwn === 0
  }

  /** Events from here that wait for handlers here. */
  get #waitingOwn(): number {
    return this.subscriptions.waitingFrom(this.self.name)
  }

  /** What is on its way here comes before the peers' word that they send no more. */
  async #finish(timeout: number): Promise<void> {
    const began = this.now()
    const patience = Math.min(timeout, this.#patience)
    await this.handovers.settle('finish', { timeout: patience }, this.#mesh.known()).catch(() => {})
    await this.#deliverOwn(patience)
    const left = Math.max(timeout - (this.now() - began), 0)
    await this.handovers.until('finish', { timeout: left }, () => this.#isIdle).catch(() => {})
  }

  /** Lets this endpoint's handlers begin what it has sent to itself, for so long at most. */
  async #deliverOwn(timeout: number): Promise<void> {
    const began = this.now()
    await this.handovers.settle('close', { timeout }, this.loopback.outbox.flushed()).catch(() => {})
    const left = Math.max(timeout - (this.now() - began), 0)
    await this.handovers.until('close', { timeout: left }, () => this.#waitingOwn === 0).catch(() => {})
  }

  #announce(change: 'subscribe' | 'unsubscribe', interest: Interest): void {
    const isNews = change === 'subscribe' ? this.interest.add(interest) : this.interest.remove(interest)
    if (isNews && change === 'subscribe') this.routes.add(this.loopback, interest)
    else if (isNews) this.routes.remove(this.loopback, interest)
    if (isNews) this.waits.changed()
    // A boundary may have been drawn since the subscribe was told.
    if (isNews && (change === 'unsubscribe' || this.#isForOthers(interest))) this.#mesh.announce(change, interest)
  }

  *#told(): Generator<Interest> {
    for (const interest of this.interest) if (this.#isForOthers(interest)) yield interest
  }

  /** Others need not know of what a boundary keeps from coming here. */
  #isForOthers({ type }: Interest): boolean {
    const boundary = boundaryOf(type)
    return boundary === undefined || isWithin(boundary, this.self)
  }

  /** Gives what was taken back from a peer to others. */
  #takeFrom(channel: Channel, frames: readonly Frame[]): void {
    this.#queues.settled(channel, frames.length)
    const left = frames.length - this.#passOn(frames)
    if (left === 0) return
    const gone = `${channel.identity.name} has left their queues`
    this.#events.report(new NoSubscribers(`${left} events: expected other members, as ${gone}`))
  }

  #passOn(frames: readonly Frame[]): number {
    let passedOn = 0
    for (const frame of frames) {
      const assignment = assignmentOf(frame)
      if (this.broadcaster.giveToAnother(assignment, frame)) passedOn++
    }
    return passedOn
  }

  #settled(channel: Channel): void {
    this.#settlements.add(channel)
    this.handovers.changed()
  }

  #reportUngiven({ type }: { readonly type: string }, { identity: { name } }: Channel): void {
    this.#events.report(new BoundaryCrossed(`expected no return of ${type} from ${name}: it has been given none`))
  }

  #reportReturned({ type, queue }: { readonly type: string; readonly queue: string }, { identity }: Channel): void {
    const left = `${identity.name} has left the queue`
    this.#events.report(new NoSubscribers(`event ${type} of queue ${queue}: expected another member, as ${left}`))
  }
}
