import type { Identity } from './audience'
import type { Channel } from './channel'
import { type Interest, isInterestedIn, keyOf } from './interest'
import { Router } from './router'

/** Who gets an event of a type. */
export interface Route {
  /** Everyone who wants all of them. */
  readonly recipients: readonly Channel[]
  /** Those who share them. */
  readonly queues: readonly Queue[]
}

export interface Queue {
  readonly name: string
  readonly members: readonly Member[]
}

/** An endpoint with members of a queue. */
export interface Member {
  readonly channel: Channel
  /** How many members it has. */
  readonly weight: number
}

/** One channel's interest, once for every time that it was told. */
interface Entry {
  readonly channel: Channel
  readonly interest: Interest
}

/** What everyone on the bus, this endpoint included, wants to have from this endpoint. */
export class Routes {
  readonly #self: Identity
  readonly #entries = new Map<Channel, Map<string, Entry[]>>()
  readonly #events = new Router<Entry, Route>(routeOf)
  readonly #requests = new Router<Entry, readonly Channel[]>(channelsOf)

  constructor(self: Identity) {
    this.#self = self
  }

  add(channel: Channel, interest: Interest): void {
    if (!isInterestedIn(interest, this.#self)) return
    const key = keyOf(interest)
    const known = this.#entries.get(channel) ?? new Map<string, Entry[]>()
    this.#entries.set(channel, known)
    const entry = { channel, interest }
    const alike = known.get(key)
    if (alike) alike.push(entry)
    else known.set(key, [entry])
    this.#routerOf(interest).add(interest.type, entry)
  }

  remove(channel: Channel, interest: Interest): void {
    const key = keyOf(interest)
    const known = this.#entries.get(channel)
    const alike = known?.get(key)
    const entry = alike?.pop()
    if (!known || !entry) return
    if (alike?.length === 0) known.delete(key)
    this.#routerOf(interest).remove(interest.type, entry)
  }

  /** Forgets all that a channel's other end wants. */
  forget(channel: Channel): void {
    for (const entries of this.#entries.get(channel)?.values() ?? []) {
      for (const entry of entries) this.#routerOf(entry.interest).remove(entry.interest.type, entry)
    }
    this.#entries.delete(channel)
  }

  select(type: string): Route {
    return this.#events.select(type)
  }

  /** Everyone who gets events of a type, all of them or a share. */
  subscribers(type: string): readonly Channel[] {
    const { recipients, queues } = this.select(type)
    return [...recipients, ...queues.flatMap(({ members }) => members.map(({ channel }) => channel))]
  }

  /** Everyone who responds to requests of a type. */
  responders(type: string): readonly Channel[] {
    return this.#requests.select(type)
  }

  #routerOf({ responds }: Interest) {
    return responds ? this.#requests : this.#events
  }
}

function routeOf(entries: readonly Entry[], type: string): Route {
  const accepted = entries.filter(({ channel }) => channel.accepts(type))
  const recipients = accepted.filter(({ interest }) => interest.queue === undefined)
  const queues = new Map<string, Map<Channel, number>>()
  for (const { channel, interest } of accepted) {
    if (interest.queue === undefined) continue
    const members = queues.get(interest.queue) ?? new Map<Channel, number>()
    members.set(channel, (members.get(channel) ?? 0) + 1)
    queues.set(interest.queue, members)
  }
  return {
    recipients: [...new Set(recipients.map(({ channel }) => channel))],
    queues: [...queues].map(([name, members]) => ({
      name,
      members: [...members].map(([channel, weight]) => ({ channel, weight })),
    })),
  }
}

function channelsOf(entries: readonly Entry[], type: string): readonly Channel[] {
  return [...new Set(entries.map(({ channel }) => channel).filter((channel) => channel.accepts(type)))]
}
