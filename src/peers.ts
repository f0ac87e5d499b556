import type { Outbox } from './channel/outbox'
import type { EndpointInfo } from './mesh/agreement'
import type { Link } from './mesh/link'
import type { Interest } from './model/interest'

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
}

/** The peers that this endpoint is linked with. */
export class Peers {
  readonly #links = new Set<Link>()
  #connectionChanges = 0
  #interestChanges = 0

  get links(): ReadonlySet<Link> {
    return this.#links
  }

  /** A snapshot of every peer. */
  get all(): readonly Peer[] {
    return [...this.#links].map(peerOf)
  }

  /** How many times a peer has joined, left or been lost. */
  get connectionChanges(): number {
    return this.#connectionChanges
  }

  /** How many times the interest of a peer or of this endpoint has changed. */
  get interestChanges(): number {
    return this.#interestChanges
  }

  add(link: Link): void {
    this.#links.add(link)
    this.#connectionChanges++
    if (hasInterest(link)) this.#interestChanges++
  }

  delete(link: Link): void {
    this.#links.delete(link)
    this.#connectionChanges++
    if (hasInterest(link)) this.#interestChanges++
  }

  noteInterestChange(): void {
    this.#interestChanges++
  }

  hasAll(names: readonly string[]): boolean {
    const connected = new Set([...this.#links].map(({ identity }) => identity.name))
    return names.every((name) => connected.has(name))
  }
}

/** The peer at the other end of a link, from its hello on. */
export function peerOf({ identity, state, interest, outbox }: Link): Peer {
  return snapshotOf(identity, state, interest, outbox)
}

/** @param interests each type is listed once */
export function snapshotOf(
  { name, id, groups, pid, accepts }: EndpointInfo,
  state: Peer['state'],
  interests: Iterable<Interest>,
  { queuedBytes, droppedEvents, waitedMs }: Outbox,
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
