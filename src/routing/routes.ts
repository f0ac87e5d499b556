import type { Identity } from '../model/audience'
import { type Interest, isInterestedIn, keyOf } from '../model/interest'
import type { Candidate } from './eligibility'
import { PatternTree } from './pattern-tree'

/** An endpoint as routes see it. */
export interface Destination extends Candidate {
  /** Whether it lets in events and requests of this type. */
  accepts(type: string): boolean
}

/** The receivers of an event type. */
export interface Route<To> {
  /** Destinations with a subscription outside of queues; each gets the event once. */
  readonly recipients: readonly To[]
  /** One member of each queue gets the event. */
  readonly queues: readonly Queue<To>[]
}

export interface Queue<To> {
  readonly name: string
  readonly members: readonly Member<To>[]
}

/** A destination with subscriptions in a queue. */
export interface Member<To> {
  readonly destination: To
  /** Number of its subscriptions in the queue. */
  readonly weight: number
}

/** An interest of a destination. The same interest added twice has two entries. */
interface Entry<To> {
  readonly destination: To
  readonly interest: Interest
}

/** Where this endpoint's events and requests go: the interests of every endpoint, its own included. */
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
    this.#treeFor(interest).add(interest.type, entry)
  }

  remove(destination: To, interest: Interest): void {
    const key = keyOf(interest)
    const known = this.#entries.get(destination)
    const alike = known?.get(key)
    const entry = alike?.pop()
    if (!known || !entry) return
    if (alike?.length === 0) known.delete(key)
    this.#treeFor(interest).remove(interest.type, entry)
  }

  /** Removes all interests of a destination. */
  removeAll(destination: To): void {
    for (const entries of this.#entries.get(destination)?.values() ?? []) {
      for (const entry of entries) this.#treeFor(entry.interest).remove(entry.interest.type, entry)
    }
    this.#entries.delete(destination)
  }

  select(type: string): Route<To> {
    return this.#events.select(type)
  }

  /** Every destination that gets events of a type, directly or as a queue member. */
  subscribers(type: string): readonly To[] {
    const { recipients, queues } = this.select(type)
    return [...recipients, ...queues.flatMap(({ members }) => members.map(({ destination }) => destination))]
  }

  /** Every destination that responds to requests of a type. */
  responders(type: string): readonly To[] {
    return this.#requests.select(type)
  }

  #treeFor({ responds }: Interest) {
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
