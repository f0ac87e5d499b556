import type { Identity } from '../model/audience'
import { type Interest, isInterestedIn, keyOf } from '../model/interest'
import { PatternTree } from './pattern-tree'

/** Where routes can lead. */
export interface Destination {
  readonly identity: Identity
  /** Whether the endpoint lets in events and requests of this type from others. */
  accepts(type: string): boolean
}

/** Who gets an event of a type. */
export interface Route<To> {
  /** Destinations with at least one subscription outside of queues: each gets the event once. */
  readonly recipients: readonly To[]
  /** Queues that share the events: one member of each gets the event. */
  readonly queues: readonly Queue<To>[]
}

export interface Queue<To> {
  readonly name: string
  readonly members: readonly Member<To>[]
}

/** A destination with subscriptions in a queue. */
export interface Member<To> {
  readonly destination: To
  /** The number of its subscriptions in the queue. */
  readonly weight: number
}

/** One interest of a destination; there is one entry for each time it was added. */
interface Entry<To> {
  readonly destination: To
  readonly interest: Interest
}

/** What every endpoint on the bus, this one included, wants to receive from this endpoint. */
export class Routes<To extends Destination> {
  readonly #self: Identity
  readonly #entries = new Map<To, Map<string, Entry<To>[]>>()
  readonly #events = new PatternTree<Entry<To>, Route<To>>(routeOf)
  readonly #requests = new PatternTree<Entry<To>, readonly To[]>(respondersOf)

  constructor(self: Identity) {
    this.#self = self
  }

  add(destination: To, interest: Interest): void {
    if (!isInterestedIn(interest, this.#self)) return
    const key = keyOf(interest)
    const known = this.#entries.get(destination) ?? new Map<string, Entry<To>[]>()
    this.#entries.set(destination, known)
    const entry = { destination, interest }
    const same = known.get(key)
    if (same) same.push(entry)
    else known.set(key, [entry])
    this.treeFor(interest).add(interest.type, entry)
  }

  remove(destination: To, interest: Interest): void {
    const key = keyOf(interest)
    const known = this.#entries.get(destination)
    const alike = known?.get(key)
    const entry = alike?.pop()
    if (!known || !entry) return
    if (alike?.length === 0) known.delete(key)
    this.treeFor(interest).remove(interest.type, entry)
  }

  /** Forgets all that a destination's other end wants. */
  removeAll(destination: To): void {
    for (const entries of this.#entries.get(destination)?.values() ?? []) {
      for (const entry of entries) this.treeFor(entry.interest).remove(entry.interest.type, entry)
    }
    this.#entries.delete(destination)
  }

  select(type: string): Route<To> {
    return this.#events.select(type)
  }

  /** Everyone who gets events of a type, all of them or a share. */
  subscribers(type: string): readonly To[] {
    const { recipients, queues } = this.select(type)
    return [...recipients, ...queues.flatMap(({ members }) => members.map(({ destination }) => destination))]
  }

  /** Everyone who responds to requests of a type. */
  responders(type: string): readonly To[] {
    return this.#requests.select(type)
  }

  treeFor({ responds }: Interest) {
    return responds ? this.#requests : this.#events
  }
}

function routeOf<To extends Destination>(entries: readonly Entry<To>[], type: string): Route<To> {
  const accepted = entries.filter(({ destination }) => destination.accepts(type))
  const recipients = accepted.filter(({ interest }) => interest.queue === undefined)
  const queues = new Map<string, Map<To, number>>()
  for (const { destination, interest } of accepted) {
    if (interest.queue === undefined) continue
    const members = queues.get(interest.queue) ?? new Map<To, number>()
    members.set(destination, (members.get(destination) ?? 0) + 1)
    queues.set(interest.queue, members)
  }
  return {
    recipients: [...new Set(recipients.map(({ destination }) => destination))],
    queues: [...queues].map(([name, members]) => ({
      name,
      members: [...members].map(([destination, weight]) => ({ destination, weight })),
    })),
  }
}

function respondersOf<To extends Destination>(entries: readonly Entry<To>[], type: string): readonly To[] {
  return [...new Set(entries.map(({ destination }) => destination).filter((destination) => destination.accepts(type)))]
}
