import { ParkedEvents } from './parked-events'
import type { QueueEvent } from './queue-event'
import type { QueueMember } from './queue-member'

/** The most keys without events whose member is remembered. */
const MAX_IDLE = 10_000

interface Partition {
  /** The event of the key that a member has, or may be given. */
  current: QueueEvent | undefined
  /** Whether a member has it, or it is given again after a while. */
  isGiven: boolean
  /** Those behind it. */
  parked: ParkedEvents | undefined
  /** The member that gets the events of the key, as long as it stays. */
  owner: QueueMember | undefined
}

/** Keeps the events of each key in order: a member has one of them at a time, and those behind it wait here. */
export class Partitions {
  readonly #byKey = new Map<string, Partition>()
  /** Keys without events, those used last at the end. */
  readonly #idle = new Set<string>()
  /** Those of all keys that wait behind others. */
  #parked = new ParkedEvents()
  #given = 0

  /** The event that has waited here longest. */
  get oldest(): QueueEvent | undefined {
    return this.#parked.first
  }

  /** Whether events wait here for members to settle others. */
  get isBlocked(): boolean {
    return this.#parked.size > 0 && this.#given > 0
  }

  /** Takes an event. Returns whether it may be given to a member: if not, it waits here. */
  enter(key: string, event: QueueEvent): boolean {
    const partition = this.#partitionOf(key)
    if (partition.current) {
      this.#park(partition, event)
      return false
    }
    partition.current = event
    partition.isGiven = false
    return true
  }

  /** The event of the same key that may be given to a member, if it was broadcast later than this one. */
  laterThan({ partition: key = '', place }: QueueEvent): QueueEvent | undefined {
    const partition = this.#byKey.get(key)
    const { current } = partition ?? {}
    return current && !partition?.isGiven && current.place > place ? current : undefined
  }

  /** The one that may be given waits behind another: no event of the key may be given until `enter`. */
  park(key: string, event: QueueEvent): void {
    const partition = this.#byKey.get(key)
    if (partition?.current !== event) return
    partition.current = undefined
    this.#park(partition, event)
  }

  onGiven(key: string): void {
    const partition = this.#byKey.get(key)
    if (!partition || partition.isGiven) return
    partition.isGiven = true
    this.#given++
  }

  onReturned(key: string): void {
    const partition = this.#byKey.get(key)
    if (!partition?.isGiven) return
    partition.isGiven = false
    this.#given--
  }

  /** An event has been settled, or waits no longer. Returns the next one of its key, if that may be given to a member now. */
  leave(key: string, event: QueueEvent): QueueEvent | undefined {
    const partition = this.#byKey.get(key)
    if (!partition) return undefined
    if (this.#parked.delete(event)) {
      partition.parked?.delete(event)
      return undefined
    }
    if (partition.current !== event) return undefined
    this.onReturned(key)
    const next = partition.parked?.first
    partition.current = next
    if (next) {
      partition.parked?.delete(next)
      this.#parked.delete(next)
    } else this.#rest(key)
    return next
  }

  isParked(event: QueueEvent): boolean {
    return this.#parked.has(event)
  }

  /** Whether an event may be given to a member, or would be if one had room. */
  isNext(key: string, event: QueueEvent): boolean {
    const partition = this.#byKey.get(key)
    return partition?.current === event && !partition.isGiven
  }

  /** The member that gets the events of a key, as long as it stays. All senders that know the same members choose the same one. */
  ownerOf(key: string, members: readonly QueueMember[]): QueueMember | undefined {
    const partition = this.#partitionOf(key)
    if (!partition.owner || !members.includes(partition.owner)) partition.owner = highest(key, members)
    return partition.owner
  }

  /** Forgets members that are gone. */
  onMembersChanged(): void {
    for (const partition of this.#byKey.values()) if (partition.owner?.isGone) partition.owner = undefined
  }

  /** Removes and returns the events that wait here. */
  clear(): QueueEvent[] {
    const events = [...this.#parked]
    this.#byKey.clear()
    this.#idle.clear()
    this.#parked = new ParkedEvents()
    this.#given = 0
    return events
  }

  #park(partition: Partition, event: QueueEvent): void {
    partition.parked ??= new ParkedEvents()
    partition.parked.add(event)
    this.#parked.add(event)
  }

  #partitionOf(key: string): Partition {
    this.#idle.delete(key)
    const known = this.#byKey.get(key)
    if (known) return known
    const partition: Partition = { current: undefined, isGiven: false, parked: undefined, owner: undefined }
    this.#byKey.set(key, partition)
    return partition
  }

  /** The key has no events. */
  #rest(key: string): void {
    this.#idle.add(key)
    if (this.#idle.size <= MAX_IDLE) return
    for (const oldest of this.#idle) {
      this.#idle.delete(oldest)
      this.#byKey.delete(oldest)
      return
    }
  }
}

/** Rendezvous hashing (Thaler and Ravishankar, 1998): all senders choose alike, and a member that goes moves only its keys. */
function highest(key: string, members: readonly QueueMember[]): QueueMember | undefined {
  let chosen: QueueMember | undefined
  let most = -1
  for (const member of members) {
    const weight = hashOf(`${member.channel.identity.id} ${member.number} ${key}`)
    if (weight <= most) continue
    most = weight
    chosen = member
  }
  return chosen
}

/** FNV-1a of UTF-16 units, with the finalizer of MurmurHash3, as short texts that differ at the end would differ too little. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
