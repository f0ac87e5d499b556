import { asLahjaError, type LahjaError, NameInUse, ProtocolViolation, Unauthenticated } from '../model/errors'
import type { Interest } from '../model/interest'
import type { Address } from '../platform/address'
import type { Timer } from '../platform/clock'
import type { Connection, Listener, Transport } from '../platform/transport'
import { Waits } from '../platform/waits'
import type { Hello } from '../wire/message'
import { type Attempt, attemptAfter, Dialer } from './dialer'
import { Discovery } from './discovery'
import { helloOf, type Introduction, precedes } from './handshake'
import { Link, type LinkContext, type LinkEvents } from './link'
import type { LinkEnding, LostEnding } from './link-ending'
import { NameClaim } from './name-claim'
import type { Traffic } from './session'

/** Rescans of grace for a newcomer that could see us, and as many more at most: it dials everyone itself. */
const GRACE = 2

/** What the mesh tells its endpoint, beside what comes from peers. */
export interface MeshEvents extends Traffic {
  joined(link: Link): void
  left(link: Link): void
  lost(link: Link, ending: LostEnding): void
  /** We are leaving, and the peer's link is closed. */
  abandoned(link: Link): void
  error(error: LahjaError): void
  /** Another endpoint holds our name: the bus has to be left. */
  nameLost(error: NameInUse): void
}

export interface MeshContext extends Pick<LinkContext, 'clock' | 'limits' | 'budget' | 'interest' | 'secret'> {
  readonly self: Introduction
  readonly transport: Transport
  readonly watch: boolean
  readonly events: MeshEvents
}

/** Who is connected: one link with every other live incarnation on the bus. */
export class Mesh {
  readonly #context: MeshContext
  readonly #claim: NameClaim
  readonly #linkContext: LinkContext
  readonly #dialers = new Map<string, Dialer>()
  /** By the peer's id: the one link with each, taken up by both sides or about to be. */
  readonly #links = new Map<string, Link>()
  /** Attempts of our own that a peer's dial was preferred to: where that comes to nothing, they are counted on. */
  readonly #attempts = new WeakMap<Link, number>()
  /** Connections that others have made and that are no links yet. */
  readonly #strangers = new Set<Link>()
  #greeted: [link: Link, hello: Hello][] = []
  #listener: Listener | undefined
  #discovery: Discovery | undefined
  #lifeTimer: Timer | undefined
  #closing = false
  readonly #waits: Waits

  constructor(context: MeshContext) {
    const { self, transport, clock, limits, secret, events } = context
    this.#context = context
    this.#waits = new Waits(clock)
    this.#linkContext = {
      ...context,
      hello: () => helloOf(self, secret?.nonce()),
      events: {
        greeted: (link, hello) => this.#greet(link, hello),
        up: (link) => this.#up(link),
        closed: (link, ending) => this.#closed(link, ending),
      },
      traffic: events,
    }
    this.#claim = new NameClaim({
      self,
      transport,
      clock,
      limits,
      hasSecret: secret !== undefined,
      ignored: (error) => events.error(error),
      challenge: (connection, rival, closed) => {
        const events: LinkEvents = {
          ...this.#linkContext.events,
          greeted: (link) => link.refuse('name-in-use', 'expected a refusal'),
          closed: (link, ending) => closed(ending, link.isProven),
        }
        return new Link({ ...this.#linkContext, events }, connection, rival)
      },
    })
  }

  /**
   * Joins the bus: resolves when the name is ours and every live peer that was there is linked, or has had until the
   * handshake deadline.
   *
   * @throws NameInUse, DirectoryRefused, PathTooLong
   */
  async start(): Promise<void> {
    const { self, transport, clock, limits, watch } = this.#context
    await transport.open()
    this.#listener = await transport.publish(self, (connection) => this.#accept(connection))
    try {
      const addresses = await transport.scan()
      await this.#claim.settle(addresses)
      for (const [link, hello] of this.#greeted.splice(0)) this.#decide(link, hello)
      this.#see(addresses, () => ({ delay: 0 }))
      const found = new Set(addresses.map(({ id }) => id))
      this.#discovery = new Discovery({
        transport,
        clock,
        listener: this.#listener,
        watch,
        rescan: limits.rescanInterval,
        found: (seen, wasGone) =>
          this.#see(seen, () => ({ delay: wasGone ? 0 : (1 + clock.random()) * GRACE * limits.rescanInterval })),
        republished: (seen) => this.#claimAgain(seen),
        failed: (error) => this.#context.events.error(error),
      })
      this.#planLifeCheck()
      await this.#until(limits.handshakeTimeout, () => this.#closing || this.#areSettled(found))
      await this.#claim.settle([]) // The name may have been lost meanwhile.
    } catch (error) {
      if (!this.#closing) await this.close(0)
      throw error
    }
  }

  /** Tells every peer of a change of interest. */
  announce(change: 'subscribe' | 'unsubscribe', interest: Interest): void {
    for (const link of this.#links.values()) link.announce(change, interest)
  }

  /** Resolves when each peer knows of all changes by now, or has gone. */
  async known(): Promise<void> {
    await Promise.all([...this.#links.values()].map((link) => link.known()))
  }

  /**
   * Leaves the bus: nobody finds us any more, every peer gets what was accepted for it, then a goodbye.
   *
   * @param timeout milliseconds after which peers that do not read are given up
   * @returns how many events were not delivered, by peer name
   */
  async close(timeout: number): Promise<Map<string, number>> {
    this.#closing = true
    this.#waits.changed()
    this.#discovery?.stop()
    this.#lifeTimer?.cancel()
    for (const dialer of this.#dialers.values()) dialer.stop()
    this.#dialers.clear()
    this.#claim.stop()
    const { transport, events } = this.#context
    await this.#listener?.withdraw().catch((error) => events.error(asLahjaError(transport.location, error)))
    for (const link of [...this.#strangers]) link.refuse('closing', 'the endpoint is closing')
    for (const link of [...this.#links.values()]) void link.leave()
    await this.#until(timeout, () => this.#links.size === 0)
    const undelivered = new Map<string, number>()
    for (const link of [...this.#links.values()]) undelivered.set(link.peer?.name ?? '', link.abandon())
    return undelivered
  }

  /** Is there a link with each address, or nothing to wait for? Those are taken out; a link may be lost meanwhile. */
  #areSettled(ids: Set<string>): boolean {
    for (const id of ids) {
      const link = this.#links.get(id)
      if (!link?.isUp && !(this.#dialers.get(id)?.isSettled ?? link === undefined)) return false
      if (!link) ids.delete(id)
    }
    return true
  }

  /** Waits for what only a change of links and dialers brings about, or until the time is over. */
  async #until(timeout: number, condition: () => boolean): Promise<void> {
    await this.#waits.until('links', { timeout }, condition).catch(() => {})
  }

  #see(addresses: readonly Address[], attempt: () => Attempt): void {
    const { self, transport, clock, limits, events } = this.#context
    for (const address of addresses) {
      const { id, name } = address
      if (this.#closing || name === self.name || this.#links.has(id) || this.#dialers.has(id)) continue
      const dialer = new Dialer(
        address,
        {
          transport,
          clock,
          limits,
          shakeHands: (connection, expected) => new Link(this.#linkContext, connection, expected),
          gone: () => this.#dialers.get(id) === dialer && this.#dialers.delete(id) && this.#waits.changed(),
          failed: (_, cause) => {
            events.error(cause)
            this.#waits.changed()
          },
        },
        attempt(),
      )
      this.#dialers.set(id, dialer)
    }
  }

  #accept(connection: Connection): void {
    const { limits } = this.#context
    if (this.#strangers.size >= limits.pendingHandshakes) {
      const [oldest] = this.#strangers
      oldest?.refuse('too-many-handshakes', `more than ${limits.pendingHandshakes} connections without a handshake`)
    }
    this.#strangers.add(new Link(this.#linkContext, connection, undefined))
  }

  #greet(link: Link, hello: Hello): void {
    if (this.#closing) return link.refuse('closing', 'the endpoint is closing')
    if (!this.#strangers.has(link)) return this.#take(link, hello)
    const { self, clock } = this.#context
    if (hello.name === self.name) {
      const text = `${self.name} is the name of ${self.id}`
      // Who has hung up by then has given up; a claimant that was stopped for long gives way to nobody who is gone.
      return clock.defer(() => this.#strangers.has(link) && link.refuse(this.#claim.answer(hello.id), text))
    }
    if (this.#claim.isHolding) this.#decide(link, hello)
    else this.#greeted.push([link, hello])
  }

  /**
   * Is this the one link with the peer? If both have dialled, the dial of the smaller id stands, and the side with
   * the smaller id is the one to say so: it refuses the other's as long as its own is under way.
   */
  #decide(link: Link, hello: Hello): void {
    const { id } = hello
    if (this.#links.has(id)) return link.refuse('duplicate', 'there is a link already')
    const dialer = this.#dialers.get(id)
    if (dialer?.link && precedes(this.#context.self.id, id)) {
      return link.refuse('duplicate', 'the dial of the smaller id stands')
    }
    this.#dialers.delete(id)
    if (dialer) this.#attempts.set(link, dialer.count)
    this.#take(link, hello)
    dialer?.stop() // Last, so that nobody who waits for the peer finds nothing to wait for.
  }

  #take(link: Link, { id }: Hello): void {
    this.#links.set(id, link)
    link.accept()
  }

  #up(link: Link): void {
    const { peer } = link
    if (!peer) return
    this.#strangers.delete(link)
    this.#dialers.get(peer.id)?.succeeded()
    this.#context.events.joined(link)
    this.#waits.changed()
  }

  #closed(link: Link, ending: LinkEnding): void {
    const { events } = this.#context
    const wasStranger = this.#strangers.delete(link)
    this.#greeted = this.#greeted.filter(([greeted]) => greeted !== link)
    const { peer } = link
    const isTheLink = peer !== undefined && this.#links.get(peer.id) === link
    if (isTheLink) this.#links.delete(peer.id)
    const dialer = [...this.#dialers.values()].find((candidate) => candidate.link === link)
    if (ending.kind === 'left') {
      dialer?.stop()
      if (dialer) this.#dialers.delete(dialer.address.id)
      if (isTheLink) events.left(link)
    } else if (ending.kind === 'lost') {
      if (ending.cause instanceof ProtocolViolation) events.error(ending.cause)
      if (isTheLink) events.lost(link, ending)
    } else if (ending.kind === 'done') {
      if (isTheLink) events.abandoned(link)
    } else if (wasStranger && (ending.cause instanceof ProtocolViolation || ending.cause instanceof Unauthenticated)) {
      events.error(ending.cause)
    }
    if (isTheLink && !dialer && 'cause' in ending) this.#see([peer], () => this.#attemptAfter(link, ending))
    dialer?.closed(ending)
    this.#waits.changed()
  }

  async #claimAgain(addresses: readonly Address[]): Promise<void> {
    try {
      await this.#claim.settle(addresses)
    } catch (error) {
      if (this.#closing) return
      if (error instanceof NameInUse) this.#context.events.nameLost(error)
      else this.#context.events.error(asLahjaError(this.#context.transport.location, error))
    }
  }

  #attemptAfter(link: Link, ending: LinkEnding): Attempt {
    const { clock, limits } = this.#context
    return attemptAfter(ending, this.#attempts.get(link) ?? 0, limits, () => clock.random())
  }

  #planLifeCheck(): void {
    const { clock, limits } = this.#context
    this.#lifeTimer = clock.after(limits.pingInterval, () => {
      for (const link of this.#links.values()) link.checkLife()
      this.#planLifeCheck()
    })
  }
}
