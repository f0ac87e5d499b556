import type { Outbox } from './channel/outbox'
import type { EndpointInfo } from './mesh/agreement'
import type { Link } from './mesh/link'
import type { Interest } from './model/interest'
import type { Clock } from './platform/clock'

/** A snapshot of another endpoint on the bus. Its lists of types are those of the first time that they are read. */
export interface Peer {
  readonly name: string
  /** Identifies this run of the endpoint: a restarted endpoint has another id. */
  readonly id: string
  readonly groups: readonly string[]
  /** Process id, in the PID namespace of the peer. */
  readonly pid: number
  /** `lagging`: senders no longer wait for it. `unresponsive`: it has left `limits.silentPings` pings unanswered. */
  readonly state: 'connected' | 'lagging' | 'unresponsive'
  /** The types and patterns of events that it subscribes to. */
  readonly subscriptions: readonly string[]
  /** The types of requests that it responds to. */
  readonly responds: readonly string[]
  /** Patterns of the types that it accepts from other endpoints; undefined if it accepts all. */
  readonly accepts: readonly string[] | undefined
  /** Bytes of events queued for it in this process. */
  readonly queuedBytes: number
  /** Number of events for it that were dropped since it joined. */
  readonly droppedEvents: number
  /** Milliseconds for which `broadcast` has waited for it since it joined. */
  readonly waitedMs: number
  /** Milliseconds since it joined. */
  readonly sinceMs: number
}

/** A peer in numbers. Those of events that are done only grow, as long as it is linked. */
export interface PeerStats extends Pick<Peer, 'name' | 'id' | 'pid' | 'state' | 'waitedMs' | 'sinceMs'> {
  /** Events for it that are queued in this process, and their bytes. */
  readonly queuedEvents: number
  readonly queuedBytes: number
  /** Events sent to it that it has not acknowledged. It does so in batches. */
  readonly unconfirmedEvents: number
  /** Bytes of events that it takes at present before it has acknowledged others. */
  readonly windowLeft: number
  /** Events for it that were dropped here. */
  readonly droppedEvents: number
  /** How often it has told of events that it had dropped for this endpoint, and how many they were. */
  readonly gaps: number
  readonly missedEvents: number
  /** How often it began to lag. */
  readonly lagged: number
  /** How often it has been linked again after the link broke. */
  readonly reconnects: number
}

/** What has happened on a link so far. */
interface Standing {
  readonly since: number
  readonly reconnects: number
  gaps: number
  missedEvents: number
  lagged: number
}

/** Endpoints whose link broke that are remembered, in case that they come back. */
const MAX_LOST = 1000

/** The peers that this endpoint is linked with. */
export class Peers {
  readonly #clock: Pick<Clock, 'now'>
  readonly #links = new Set<Link>()
  /** Also those of links that have ended, as long as their end is being told. */
  readonly #standings = new WeakMap<Link, Standing>()
  /** How often the link with each endpoint broke, by its id. */
  readonly #breaks = new Map<string, number>()
  #connectionChanges = 0
  #interestChanges = 0

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock
  }

  get links(): ReadonlySet<Link> {
    return this.#links
  }

  /** A snapshot of every peer. */
  get all(): readonly Peer[] {
    return [...this.#links].map((link) => this.peerOf(link))
  }

  /** How many times a peer has joined, left or been lost. */
  get connectionChanges(): number {
    return this.#connectionChanges
  }

  /** How many times the interest of a peer or of this endpoint has changed. */
  get interestChanges(): number {
    return this.#interestChanges
  }

  /** Each in numbers. */
  get stats(): PeerStats[] {
    return [...this.#links].map((link) => {
      const { since, ...counts } = this.#standingOf(link)
      const { name, id, pid } = link.identity
      const { queuedEvents, queuedBytes, unconfirmedEvents, windowLeft, droppedEvents, waitedMs } = link.outbox
      const sinceMs = this.#clock.now() - since
      const outbox = { queuedEvents, queuedBytes, unconfirmedEvents, windowLeft, droppedEvents, waitedMs }
      return { name, id, pid, state: link.state, sinceMs, ...outbox, ...counts }
    })
  }

  /** The peer at the other end of a link, also of one that has ended just now. */
  peerOf(link: Link): Peer {
    const { identity, state, interest, outbox } = link
    return snapshotOf(identity, state, interest, outbox, this.#clock.now() - this.#standingOf(link).since)
  }

  /** It has told of events that it had dropped. */
  noteGap(link: Link, count: number): void {
    const standing = this.#standingOf(link)
    standing.gaps++
    standing.missedEvents += count
  }

  noteLag(link: Link): void {
    this.#standingOf(link).lagged++
  }

  add(link: Link): void {
    const { id } = link.identity
    const reconnects = this.#breaks.get(id) ?? 0
    this.#standings.set(link, { ...this.#newStanding(), reconnects })
    this.#links.add(link)
    this.#connectionChanges++
    if (hasInterest(link)) this.#interestChanges++
  }

  /** @param hasLeft if not, it may come back */
  delete(link: Link, hasLeft: boolean): void {
    const { id } = link.identity
    const breaks = (this.#breaks.get(id) ?? 0) + 1
    this.#breaks.delete(id)
    if (!hasLeft) this.#breaks.set(id, breaks)
    const [oldest] = this.#breaks.keys()
    if (this.#breaks.size > MAX_LOST && oldest !== undefined) this.#breaks.delete(oldest)
    this.#links.delete(link)
    this.#connectionChanges++
    if (hasInterest(link)) this.#interestChanges++
  }

  #standingOf(link: Link): Standing {
    return this.#standings.get(link) ?? this.#newStanding()
  }

  #newStanding(): Standing {
    return { since: this.#clock.now(), reconnects: 0, gaps: 0, missedEvents: 0, lagged: 0 }
  }

  noteInterestChange(): void {
    this.#interestChanges++
  }

  hasAll(names: readonly string[]): boolean {
    const connected = new Set([...this.#links].map(({ identity }) => identity.name))
    return names.every((name) => connected.has(name))
  }
}

/**
 * @param interests each type is listed once
 * @param sinceMs for how long it is on the bus, as far as this endpoint knows
 */
export function snapshotOf(
  { name, id, groups, pid, accepts }: EndpointInfo,
  state: Peer['state'],
  interests: Iterable<Interest>,
  { queuedBytes, droppedEvents, waitedMs }: Outbox,
  sinceMs: number,
): Peer {
  let types: Pick<Peer, 'subscriptions' | 'responds'> | undefined
  // Not made until they are wanted: a peer that has thousands would make each of its events expensive.
  const typesOf = () => {
    types ??= typesIn(interests)
    return types
  }
  const peer = {
    name,
    id,
    groups,
    pid,
    state,
    get subscriptions() {
      return typesOf().subscriptions
    },
    get responds() {
      return typesOf().responds
    },
    accepts,
    queuedBytes,
    droppedEvents,
    waitedMs,
    sinceMs,
  }
  // Otherwise the lists would be shown as getters.
  return Object.defineProperty(peer, Symbol.for('nodejs.util.inspect.custom'), { value: () => ({ ...peer }) })
}

function typesIn(interests: Iterable<Interest>): Pick<Peer, 'subscriptions' | 'responds'> {
  const [subscriptions, responds] = [new Set<string>(), new Set<string>()]
  for (const interest of interests) (interest.responds ? responds : subscriptions).add(interest.type)
  return { subscriptions: [...subscriptions], responds: [...responds] }
}

function hasInterest(link: Link): boolean {
  const [first] = link.interest
  return first !== undefined
}
