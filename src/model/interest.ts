import { type AudienceList, type Identity, includes } from './audience'

/** What a subscription or a responder asks other endpoints for. */
export interface Interest {
  /** The name of a type, or a pattern. */
  readonly type: string
  /** Only events of these senders. */
  readonly from?: AudienceList | undefined
  /** The work queue whose members share the events. */
  readonly queue?: string | undefined
  /** Whether it is for requests of the type instead of events. */
  readonly responds?: boolean | undefined
}

/** Whether an interest includes events from this endpoint. */
export function isInterestedIn(interest: Interest, origin: Identity): boolean {
  return interest.from === undefined || includes(interest.from, origin)
}

/**
 * Interests, each with the number of those who have it. To others only the first and the last of several alike are
 * news, except for members of queues: there every one counts, as it gets a share of its own.
 */
export class InterestSet {
  readonly #entries = new Map<string, { readonly interest: Interest; count: number }>()

  has(interest: Interest): boolean {
    return this.#entries.has(keyOf(interest))
  }

  /** Returns whether others have to know. */
  add(interest: Interest): boolean {
    const key = keyOf(interest)
    const known = this.#entries.get(key)
    if (known) known.count++
    else this.#entries.set(key, { interest, count: 1 })
    return !known || isMember(interest)
  }

  /** Returns whether others have to know. */
  remove(interest: Interest): boolean {
    const key = keyOf(interest)
    const known = this.#entries.get(key)
    if (!known) return false
    known.count--
    if (known.count === 0) this.#entries.delete(key)
    return known.count === 0 || isMember(interest)
  }

  /** Every interest that other endpoints have to know; that of a queue once for each member. */
  *[Symbol.iterator](): Generator<Interest> {
    for (const { interest, count } of this.#entries.values()) {
      for (let member = 0; member < (isMember(interest) ? count : 1); member++) yield interest
    }
  }
}

export function isMember(interest: Interest): boolean {
  return interest.queue !== undefined
}

/** A key that equal interests share. */
export function keyOf({ type, from, queue, responds }: Interest): string {
  return JSON.stringify([type, from ?? 0, queue ?? 0, responds ?? false])
}
