import {
  asDirectoryError,
  EndpointClosed,
  type LahjaError,
  NameInUse,
  ProtocolViolation,
  Unauthenticated,
} from '../model/errors'
import type { Interest } from '../model/interest'
import { type Address, precedes } from '../platform/address'
import { judgeAfter, type Timer } from '../platform/clock'
import { Deadline } from '../platform/deadline'
import type { Connection, Listener } from '../platform/transport'
import { Waits } from '../platform/waits'
import type { World } from '../platform/world'
import type { Hello } from '../wire/message'
import { type EndpointInfo, helloOf } from './agreement'
import { Dialers } from './dialers'
import { Discovery } from './discovery'
import type { Milestone } from './interest-exchange'
import { Link, type LinkContext, type LinkEvents, type Traffic } from './link'
import type { LeftEnding, LinkEnding, LostEnding } from './link-ending'
import { NameClaim } from './name-claim'

/** A newcomer dials everyone itself, so it is dialled only after this many rescan intervals, up to twice as many. */
const GRACE = 2

/** What the mesh tells its endpoint, besides what peers send. */
export interface MeshEvents extends Traffic {
  joined(link: Link): void
  left(link: Link, ending: LeftEnding): void
  lost(link: Link, ending: LostEnding): void
  /**
   * This endpoint is leaving, and the link is closed.
   *
   * @param isRead whether the peer has read everything
   */
  abandoned(link: Link, isRead: boolean): void
  error(error: LahjaError): void
  /** Another endpoint holds our name: this one has to leave the bus. */
  nameLost(error: NameInUse): void
}

export interface MeshContext
  extends World,
    Pick<LinkContext, 'limits' | 'budget' | 'interest' | 'secret' | 'onDropped'> {
  readonly self: EndpointInfo
  readonly watch: boolean
  readonly events: MeshEvents
}

/** Keeps exactly one link with every other live endpoint on the bus. */
export class Mesh {
  readonly #context: MeshContext
  readonly #claim: NameClaim
  readonly #linkContext: LinkContext
  readonly #dialers: Dialers
  /** By the peer's id: accepted links, up or about to be. */
  readonly #links = new Map<string, Link>()
  /** Incoming connections whose link is not up yet, oldest first. */
  readonly #incoming = new Set<Link>()
  /** Incoming links that wait until the name is ours. */
  #undecided: [link: Link, peer: Hello][] = []
  #listener: Listener | undefined
  #discovery: Discovery | undefined
  #livenessTimer: Timer | undefined
  #isClosing = false
  /** What is not wanted any more, as the endpoint is leaving. */
  #withdrawn: readonly Interest[] | undefined
  readonly #waits: Waits

  constructor(context: MeshContext) {
    const { self, clock, secret, events } = context
    this.#context = context
    this.#waits = new Waits(clock)
    this.#linkContext = {
      ...context,
      hello: () => helloOf(self, secret?.nonce()),
      events: {
        identified: (link, peer) => this.#onIdentified(link, peer),
        up: (link) => this.#onUp(link),
        closed: (link, ending) => this.#onClosed(link, ending),
      },
      traffic: events,
    }
    this.#dialers = new Dialers({
      ...context,
      connected: (connection, address) => new Link(this.#linkContext, connection, address),
      isTaken: ({ id, name }) => this.#links.has(id) || name === self.name,
      failed: (cause) => events.error(cause),
      changed: () => this.#waits.changed(),
    })
    this.#claim = new NameClaim({
      ...context,
      waits: this.#waits,
      ignored: (error) => events.error(error),
      challenge: (connection, rival, closed) => {
        const events: LinkEvents = {
          ...this.#linkContext.events,
          identified: (link) => link.refuse('name-in-use', 'a challenge of a name must be refused'),
          closed,
        }
        return new Link({ ...this.#linkContext, events }, connection, rival)
      },
    })
  }

  /**
   * Joins the bus. Resolves when this endpoint holds its name and is linked with every live peer that was there; a peer
   * that does not answer delays it by `patience` at most.
   *
   * @param waitForName how long a rival that doesn't answer is waited for, if that is longer than `patience`
   * @throws NameInUse, DirectoryRefused, PathTooLong
   */
  async start(waitForName?: Deadline): Promise<void> {
    const { self, transport, clock, limits, debug } = this.#context
    debug?.(`joins ${transport.location}`)
    await transport.open(self)
    this.#listener = await transport.publish(self, (connection) => this.#onConnection(connection))
    if (this.#isClosing) {
      await this.#listener.withdraw()
      throw new EndpointClosed(`the start of ${self.name} was given up`)
    }
    try {
      const addresses = await transport.scan()
      await this.#claim.contest(addresses, waitForName)
      for (const [link, peer] of this.#undecided.splice(0)) this.#decide(link, peer)
      this.#dialers.dial(addresses, () => ({ delay: 0 }))
      const found = new Set(addresses)
      this.#discovery = new Discovery({
        ...this.#context,
        listener: this.#listener,
        found: (seen, wasGone) => {
          const delay = () => (wasGone ? 0 : (1 + clock.random()) * GRACE * limits.rescanInterval)
          this.#dialers.forgetGone(seen)
          this.#dialers.dial(seen, () => ({ delay: delay() }))
        },
        republished: (seen) => this.#reclaimName(seen),
        failed: (error) => this.#context.events.error(error),
      })
      this.#scheduleLivenessCheck()
      await this.#waits.reached(this.#patience(), () => this.#isClosing || this.#areSettled(found))
      this.#claim.assertNotLost()
    } catch (error) {
      if (!this.#isClosing) await this.close(new Deadline(clock, 0))
      throw error
    }
  }

  /** Whether the endpoint keeps the process alive. */
  keepAlive(isWanted: boolean): void {
    this.#listener?.keepAlive(isWanted)
  }

  /** Tells every peer of a change of our interest. */
  announce(change: 'subscribe' | 'unsubscribe', interest: Interest): void {
    for (const link of this.#links.values()) link.announce(change, interest)
  }

  /**
   * Resolves when every peer has acknowledged all changes announced so far, or has gone, and after `patience` at most.
   *
   * @returns the names of the peers that have not
   */
  async acknowledged(deadline = this.#patience()): Promise<readonly string[]> {
    const missing = await this.#missing(deadline, this.#links.values(), (link) => link.acknowledged)
    return missing.map(({ identity }) => identity.name)
  }

  /**
   * Tells every peer that nothing more is wanted. Resolves when everything has arrived that they had for us by then; a
   * peer that doesn't answer delays it by `patience` at most.
   *
   * @param interests what peers may know that we want
   * @param work.mayReturn whether a peer may return events
   * @param work.isServed whether there are events of a peer that are not handled yet
   */
  async unsubscribeAll(
    interests: readonly Interest[],
    deadline: Deadline,
    { mayReturn, isServed }: Record<'mayReturn' | 'isServed', (link: Link) => boolean>,
  ): Promise<void> {
    this.#withdrawn = interests
    for (const link of this.#links.values()) link.unsubscribeAll(interests, mayReturn(link))
    await this.acknowledged(deadline.within(this.#context.limits.patience))
    let answering = [...this.#links.values()].filter(({ isAcknowledged }) => isAcknowledged)
    while (answering.length > 0) {
      const heard = new Map(answering.map((link) => [link, link.heard]))
      const patience = deadline.within(this.#context.limits.patience)
      const missing = await this.#missing(patience, answering, (link) => link.completed)
      if (missing.length === 0 || deadline.left === 0) return
      // One that is silent although all its events have been handled is not waited for.
      answering = answering.filter((link) => link.heard !== heard.get(link) || isServed(link))
    }
  }

  /**
   * Leaves the bus: sends every peer what is queued for it, says goodbye, and withdraws the address.
   *
   * @param deadline when peers that don't read are given up; those that are owed nothing already after `patience`, or at
   *   once if they have not answered to the withdrawal of our interest
   * @param mayReturn whether a peer may still return events: it acknowledges them before it does
   * @returns numbers of events that were not delivered, by peer name
   */
  async close(deadline: Deadline, mayReturn: (link: Link) => boolean = () => false): Promise<Map<string, number>> {
    this.#isClosing = true
    this.#waits.changed()
    this.#discovery?.stop()
    this.#livenessTimer?.cancel()
    this.#dialers.stop()
    this.#claim.stop()
    this.#refuseIncoming()
    for (const link of [...this.#links.values()]) void link.leave()
    const { transport, limits, events, debug } = this.#context
    const everyLink = (isOver: (link: Link) => boolean) => () => [...this.#links.values()].every(isOver)
    const isSettled = (link: Link) => !link.owes && !mayReturn(link)
    await this.#waits.reached(
      deadline.within(limits.patience),
      everyLink((link) => !link.isAcknowledged && isSettled(link)),
    )
    await this.#waits.reached(deadline, everyLink(isSettled))
    const undelivered = new Map<string, number>()
    for (const link of [...this.#links.values()]) undelivered.set(link.identity.name, link.abandon())
    // Last: a successor must not be heard before our goodbye.
    await this.#listener?.withdraw().catch((error) => events.error(asDirectoryError(transport.location, error)))
    this.#refuseIncoming()
    debug?.(`has left ${transport.location}`)
    return undelivered
  }

  /**
   * Resolves when all links have reached a milestone, and at the deadline.
   *
   * @returns the links that have not; their waits are cancelled
   */
  async #missing(
    deadline: Deadline,
    links: Iterable<Link>,
    milestoneOf: (link: Link) => Milestone,
  ): Promise<readonly Link[]> {
    const missing = new Map<Link, () => void>()
    const all = new Promise<void>((resolve) => {
      for (const link of links) {
        const milestone = milestoneOf(link)
        if (milestone.isReached) continue
        const onReached = () => missing.delete(link) && missing.size === 0 && resolve()
        missing.set(link, milestone.wait(onReached))
      }
      if (missing.size === 0) resolve()
    })
    await this.#waits.fulfilled(deadline, all)
    for (const takeBack of missing.values()) takeBack()
    return [...missing.keys()]
  }

  #patience(): Deadline {
    const { clock, limits } = this.#context
    return new Deadline(clock, limits.patience)
  }

  /** Refuses everyone whose link is not up yet, as this endpoint is closing. */
  #refuseIncoming(): void {
    for (const link of [...this.#incoming]) link.refuse('closing', 'the endpoint is closing')
  }

  /** Whether each peer has a link that is up, or none to wait for. Peers without a link are removed from the set. */
  #areSettled(addresses: Set<Address>): boolean {
    for (const address of addresses) {
      const link = this.#links.get(address.id)
      if (!link?.isUp && !(this.#dialers.isSettled(address) ?? link === undefined)) return false
      if (!link) addresses.delete(address)
    }
    return true
  }

  #onConnection(connection: Connection): void {
    const { pendingHandshakes } = this.#context.limits
    if (this.#incoming.size >= pendingHandshakes) {
      const [oldest] = this.#incoming
      oldest?.refuse('too-many-handshakes', `more than ${pendingHandshakes} handshakes are pending`)
    }
    this.#incoming.add(new Link(this.#linkContext, connection, undefined))
  }

  #onIdentified(link: Link, peer: Hello): void {
    if (this.#isClosing) return link.refuse('closing', 'the endpoint is closing')
    if (!this.#incoming.has(link)) return this.#accept(link, peer)
    const { self, clock } = this.#context
    if (peer.name === self.name) {
      const text = `${self.name} is the name of ${self.id} in process ${self.pid}`
      // Deferred, to skip rivals that have already disconnected: after a long stop we must not concede to one of them.
      return clock.nextTurn(() => this.#incoming.has(link) && link.refuse(this.#claim.decideOn(peer.id), text))
    }
    if (this.#claim.isHolding) this.#decide(link, peer)
    else this.#undecided.push([link, peer])
  }

  /**
   * Accepts or refuses an incoming link. If both endpoints have dialled, the dial of the smaller id stands, and the
   * endpoint with the smaller id enforces it: it refuses the other dial while its own is in progress.
   */
  #decide(link: Link, peer: Hello): void {
    const { id } = peer
    if (this.#links.has(id)) return link.refuse('duplicate', 'there is a link already')
    if (this.#dialers.hasConnected(peer) && precedes(this.#context.self.id, id)) {
      return link.refuse('duplicate', 'the dial of the smaller id stands')
    }
    const replaced = this.#dialers.replace(peer, link)
    this.#accept(link, peer)
    replaced?.stop()
  }

  #accept(link: Link, { id }: Hello): void {
    this.#links.set(id, link)
    link.accept()
  }

  #onUp(link: Link): void {
    this.#incoming.delete(link)
    this.#dialers.onUp(link)
    if (this.#withdrawn) link.unsubscribeAll(this.#withdrawn, true)
    this.#context.events.joined(link)
    this.#waits.changed()
  }

  #onClosed(link: Link, ending: LinkEnding): void {
    const { events } = this.#context
    const wasIncoming = this.#incoming.delete(link)
    this.#undecided = this.#undecided.filter(([undecided]) => undecided !== link)
    const { id } = link.identity
    const wasAccepted = this.#links.get(id) === link
    if (wasAccepted) this.#links.delete(id)
    switch (ending.kind) {
      case 'left':
        if (wasAccepted) events.left(link, ending)
        break
      case 'lost':
        if (ending.cause instanceof ProtocolViolation) events.error(ending.cause)
        if (wasAccepted) events.lost(link, ending)
        break
      case 'done':
        if (wasAccepted) events.abandoned(link, ending.isRead)
        break
      case 'refused': {
        const isTheirs = ending.cause instanceof ProtocolViolation || ending.cause instanceof Unauthenticated
        if (wasIncoming && isTheirs) events.error(ending.cause)
        break
      }
      default:
        ending satisfies never
    }
    this.#dialers.onClosed(link, ending, wasAccepted)
    this.#waits.changed()
  }

  /** @throws DirectoryRefused, ConnectionFailed if it has to be tried again */
  async #reclaimName(addresses: readonly Address[]): Promise<void> {
    try {
      await this.#claim.contest(addresses)
    } catch (error) {
      if (!(error instanceof NameInUse)) throw error
      if (!this.#isClosing) this.#context.events.nameLost(error)
    }
  }

  #scheduleLivenessCheck(): void {
    const { clock, limits } = this.#context
    this.#livenessTimer = judgeAfter(clock, limits.pingInterval, () => {
      for (const link of this.#links.values()) link.checkLiveness()
      this.#scheduleLivenessCheck()
    })
  }
}
