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
  /** Those that are assigned events as they are broadcast, however many they have. */
  readonly pushMembers: readonly PushMember<To>[]
  /** Those that take events from their senders as they have room, and say for how many. */
  readonly pullMembers: readonly PullMember<To>[]
}

/** A subscription in a queue that says how many events it takes. */
export interface PullMember<To> {
  readonly destination: To
  /** The number of the member at its endpoint. */
  readonly member: number
}

/** A destination with subscriptions in a queue that take whatever they are assigned. */
export interface PushMember<To> {
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

  /** A queue with members that are subscribed to a type, if there is one of this name. */
  queue(type: string, name: string): Queue<To> | undefined {
    return this.select(type).queues.find((queue) => queue.name === name)
  }

  /** Every destination that gets events of a type, directly or as a queue member. */
  subscribers(type: string): readonly To[] {
    const { recipients, queues } = this.select(type)
    const shared = queues.flatMap(({ pushMembers, pullMembers }) => [...pushMembers, ...pullMembers])
    return [...new Set([...recipients, ...shared.map(({ destination }) => destination)])]
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
  const queues = new Map<string, { readonly weights: Map<To, number>; readonly pullMembers: PullMember<To>[] }>()
  for (const { destination, interest } of accepted) {
    const { queue: name, member } = interest
    if (name === undefined) continue
    const queue = queues.get(name) ?? { weights: new Map<To, number>(), pullMembers: [] as PullMember<To>[] }
    queues.set(name, queue)
    if (member !== undefined) queue.pullMembers.push({ destination, member })
    else queue.weights.set(destination, (queue.weights.get(destination) ?? 0) + 1)
  }
  return {
    recipients: [...new Set(recipients.map(({ destination }) => destination))],
    queues: [...queues].map(([name, { weights, pullMembers }]) => ({
      name,
      pushMembers: [...weights].map(([destination, weight]) => ({ destination, weight })),
      pullMembers,
    })),
  }
}

function respondersOf<To extends Destination>(entries: readonly Entry<To>[], type: string): readonly To[] {
  return [...new Set(entries.map(({ destination }) => destination).filter((destination) => destination.accepts(type)))]
}
