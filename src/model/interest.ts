import { type AudienceList, type Identity, includes } from './audience'
import { hasWildcard } from './pattern'

/** What a subscription or a responder asks other endpoints for. */
export interface Interest {
  /** The name of a type, or a pattern. */
  readonly type: string
  /** Only events of these senders. */
  readonly from?: AudienceList | undefined
  /** The work queue whose members share the events. */
  readonly queue?: string | undefined
  /** The number of a queue's member, unique among those of its endpoint. Only of pull members: those that say how many events they take. */
  readonly member?: number | undefined
  /** How many events the member takes at first, those that it handles included. */
  readonly capacity?: number | undefined
  /** Whether it is for requests of the type instead of events. */
  readonly responds?: boolean | undefined
}

/** The largest interest, in bytes of msgpack. */
export const MAX_INTEREST_BYTES = 4096

/** Bytes of msgpack around the names of one interest, and each name of a list, at most. */
const AROUND_NAMES = 48
/** And those of the numbers of a member. */
const MEMBER_BYTES = 36
const NAME_HEADER = 2

/** What an interest takes in memory besides its names, which are held three times; each sender; each token of a pattern. */
const ENTRY_BYTES = 600
const SENDER_BYTES = 32
const TOKEN_BYTES = 400

/** Bytes of memory that the interests of one endpoint may take, for each that `limits.interests` allows. */
const BYTES_EACH = 1024

/** Bytes of the names in an interest. */
export function nameBytesOf({ type, queue = '', ...interest }: Interest): number {
  let bytes = Buffer.byteLength(type) + Buffer.byteLength(queue)
  for (const name of sendersOf(interest)) bytes += Buffer.byteLength(name)
  return bytes
}

/** Bytes of msgpack of an interest, at most. */
export function bytesOf(interest: Interest): number {
  const numbers = interest.member === undefined ? 0 : MEMBER_BYTES
  return AROUND_NAMES + numbers + nameBytesOf(interest) + NAME_HEADER * sendersOf(interest).length
}

function sendersOf({ from = [] }: Pick<Interest, 'from'>): readonly string[] {
  return 'group' in from ? [from.group] : from
}

/** Bytes of memory that an interest takes where it is known. */
function costOf(interest: Interest): number {
  const { type } = interest
  const tokens = hasWildcard(type) ? type.split('.').length : 0
  return ENTRY_BYTES + 3 * bytesOf(interest) + SENDER_BYTES * sendersOf(interest).length + TOKEN_BYTES * tokens
}

/** Whether an interest includes events from this endpoint. */
export function isInterestedIn(interest: Interest, origin: Identity): boolean {
  return interest.from === undefined || includes(interest.from, origin)
}

/**
 * A multiset of interests. Peers are told only of the first and last of equal ones, but of every queue member, as each
 * gets its own share.
 */
export class InterestSet {
  readonly #limit: number
  #count = 0
  #cost = 0
  readonly #entries = new Map<string, { readonly interest: Interest; count: number }>()

  /** @param limit how many there may be; `hasRoomFor` says if there are that many */
  constructor(limit = Number.POSITIVE_INFINITY) {
    this.#limit = limit
  }

  /** Whether another one is within the limit, by number and by memory. */
  hasRoomFor(interest: Interest): boolean {
    const isNews = !this.has(interest) || isQueued(interest)
    return !isNews || (this.#count < this.#limit && this.#cost + costOf(interest) <= this.#limit * BYTES_EACH)
  }

  has(interest: Interest): boolean {
    return this.#entries.has(keyOf(interest))
  }

  /** Returns whether others have to know. */
  add(interest: Interest): boolean {
    const key = keyOf(interest)
    const known = this.#entries.get(key)
    if (known) known.count++
    else this.#entries.set(key, { interest, count: 1 })
    const isNews = !known || isQueued(interest)
    if (isNews) this.#charge(1, interest)
    return isNews
  }

  /** Returns whether others have to know. */
  remove(interest: Interest): boolean {
    const key = keyOf(interest)
    const known = this.#entries.get(key)
    if (!known) return false
    known.count--
    if (known.count === 0) this.#entries.delete(key)
    const isNews = known.count === 0 || isQueued(interest)
    if (isNews) this.#charge(-1, interest)
    return isNews
  }

  /** Every interest that other endpoints have to know; that of a queue once for each member. */
  *[Symbol.iterator](): Generator<Interest> {
    for (const { interest, count } of this.#entries.values()) {
      for (let member = 0; member < (isQueued(interest) ? count : 1); member++) yield interest
    }
  }

  #charge(change: 1 | -1, interest: Interest): void {
    this.#count += change
    this.#cost += change * costOf(interest)
  }
}

export function isQueued(interest: Interest): boolean {
  return interest.queue !== undefined
}

/** A key that equal interests share. */
export function keyOf({ type, from, queue, member, responds }: Interest): string {
  return JSON.stringify([type, from ?? 0, queue ?? 0, responds ?? false, member ?? 0])
}
