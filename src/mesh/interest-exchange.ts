import { ProtocolViolation } from '../model/errors'
import { bytesOf, type Interest, InterestSet, isQueued, keyOf } from '../model/interest'
import type { Message, MessageOf } from '../wire/message'

/** A change of one side's interest, as it is told to the other. */
export type InterestChange = MessageOf<'subscribe' | 'unsubscribe'>

/** Bytes of msgpack around a list of interests. */
const AROUND_LIST = 64

/** Changes since the last announcement, by interest. A subscribe and its unsubscribe cancel out, so neither is sent. */
type Difference = Map<string, { readonly interest: Interest; count: number }>

/** The end of our interest. */
interface Withdrawal {
  /** The number of the last `unsubscribe`, once it has been sent. */
  sequence: number | undefined
  /** The peer has acknowledged that one. */
  readonly acknowledged: Milestone
  /** Nothing more comes. */
  readonly completed: Milestone
}

/** Reached once, at the latest when the link ends. Waiters can be removed, as it may never be reached. */
export class Milestone {
  readonly #calls = new Set<() => void>()
  #isReached = false

  get isReached(): boolean {
    return this.#isReached
  }

  /** Calls `call` when reached. Must not be reached yet. Returns a function that cancels the call. */
  wait(call: () => void): () => void {
    this.#calls.add(call)
    return () => this.#calls.delete(call)
  }

  reach(): void {
    this.#isReached = true
    for (const call of this.#calls) call()
    this.#calls.clear()
  }
}

/** A milestone that has been reached already. */
const REACHED = new Milestone()
REACHED.reach()

/**
 * The interest of both ends of a link, as far as they have told each other.
 *
 * One announcement is in flight at a time. Changes until it is acknowledged are gathered, so a stopped peer costs no
 * more memory than the difference in the end.
 */
export class InterestExchange {
  readonly #send: (message: Message) => void
  readonly #limit: () => number
  readonly #theirs: InterestSet
  #difference: Difference = new Map()
  #sequence = 0
  #acknowledged = 0
  /** The announcement in flight has been acknowledged, and the changes gathered since. */
  #inFlight = new Milestone()
  #gathered = new Milestone()
  #withdrawal: Withdrawal | undefined

  /**
   * @param limit maximum bytes of a message
   * @param interests how many interests the peer may have
   */
  constructor(send: (message: Message) => void, limit: () => number, interests: number) {
    this.#send = send
    this.#limit = limit
    this.#theirs = new InterestSet(interests)
  }

  /** The peer's interest. */
  get theirs(): Iterable<Interest> {
    return this.#theirs
  }

  /** Our interest has changed. */
  announce(kind: InterestChange['kind'], interest: Interest): void {
    if (this.#withdrawal) return
    this.#record(kind, interest)
    if (this.isAcknowledged) this.#sendDifference()
  }

  /** Announces our whole interest, once, at the start. */
  announceAll(interests: Iterable<Interest>): void {
    for (const interest of interests) this.#record('subscribe', interest)
    this.#sendDifference()
  }

  /** Asks for an acknowledgement by a change of nothing, unless one is due anyway. */
  announceNothing(): void {
    if (this.#withdrawal || !this.isAcknowledged) return
    this.#send({ kind: 'unsubscribe', sequence: ++this.#sequence, interests: [] })
  }

  /**
   * Announces that we want nothing more, ever: later announcements are ignored.
   *
   * @param mayGetMore whether the peer may send us something without an interest: events that it returns
   */
  unsubscribeAll(interests: Iterable<Interest>, mayGetMore: boolean): void {
    if (this.#withdrawal) return
    for (const interest of interests) this.#record('unsubscribe', interest)
    this.#withdrawal = { sequence: undefined, acknowledged: new Milestone(), completed: new Milestone() }
    const hasBeenTold = this.#sequence > 0 || this.#difference.size > 0
    if (!hasBeenTold && !mayGetMore) this.#endWithdrawal()
    else if (this.isAcknowledged) this.#sendDifference()
  }

  /** Announces that we want nothing more if that has been left unsaid, as there was nothing to withdraw. */
  tellOfWithdrawal(): void {
    if (this.#withdrawal && !this.hasUnsubscribedAll && this.isAcknowledged) this.#sendDifference()
  }

  /** Everything has arrived that the peer had for us when we withdrew, or the link has ended. */
  get completed(): Milestone {
    return this.#withdrawal?.completed ?? REACHED
  }

  /** Whether the peer knows that we want nothing more. */
  get hasUnsubscribedAll(): boolean {
    return this.#withdrawal?.sequence !== undefined
  }

  /** The number of the last change that the peer has acknowledged. */
  get lastAcknowledged(): number {
    return this.#acknowledged
  }

  /** Whether the peer has acknowledged everything announced so far, or the link has ended. */
  get isAcknowledged(): boolean {
    return this.#acknowledged === this.#sequence
  }

  /** `isAcknowledged` holds for what has been announced by now; of a withdrawal, for its last change. */
  get acknowledged(): Milestone {
    if (this.#withdrawal) return this.#withdrawal.acknowledged
    if (this.isAcknowledged) return REACHED
    return this.#difference.size > 0 ? this.#gathered : this.#inFlight
  }

  /**
   * The peer knows everything announced up to this sequence number.
   *
   * @param isComplete false if events follow that the peer had for us when we withdrew, and then another call
   */
  onAcknowledge(sequence: number, isComplete = true): void {
    if (sequence === this.#withdrawal?.sequence) {
      this.#withdrawal.acknowledged.reach()
      if (isComplete) this.#withdrawal.completed.reach()
    }
    if (sequence <= this.#acknowledged || sequence > this.#sequence) return
    this.#acknowledged = sequence
    if (!this.isAcknowledged) return
    this.#inFlight.reach()
    this.#inFlight = this.#gathered
    this.#gathered = new Milestone()
    this.#sendDifference()
    if (!this.isAcknowledged) return
    this.#inFlight.reach()
    this.#inFlight = new Milestone()
  }

  /**
   * Applies a change of the peer's interest. Returns the effective part; acknowledge once it has been acted on.
   *
   * @throws ProtocolViolation if there are too many
   */
  apply({ kind, interests }: InterestChange): readonly Interest[] {
    return interests.filter((interest) => {
      const isKnown = this.#theirs.has(interest)
      if (kind === 'unsubscribe') return isKnown && this.#theirs.remove(interest)
      if (isKnown && !isQueued(interest)) return false
      if (!this.#theirs.hasRoomFor(interest)) {
        const text = 'more subscriptions and responders than limits.interests allows; use patterns, or raise the limit'
        throw new ProtocolViolation('too-many-interests', text)
      }
      return this.#theirs.add(interest)
    })
  }

  /** Tells the peer that its change has been acted on; for its last one, whether all events for it have been sent. */
  acknowledge(sequence: number, isComplete?: boolean): void {
    this.#send({ kind: 'acknowledge', sequence, isComplete })
  }

  /** The link has ended: releases everything that waits for an acknowledgement. */
  end(): void {
    this.#acknowledged = this.#sequence
    this.#difference.clear()
    this.#endWithdrawal()
    this.#inFlight.reach()
    this.#gathered.reach()
  }

  #endWithdrawal(): void {
    this.#withdrawal?.acknowledged.reach()
    this.#withdrawal?.completed.reach()
  }

  #record(kind: InterestChange['kind'], interest: Interest): void {
    const key = keyOf(interest)
    const known = this.#difference.get(key) ?? { interest, count: 0 }
    known.count += kind === 'subscribe' ? 1 : -1
    if (known.count === 0) this.#difference.delete(key)
    else this.#difference.set(key, known)
  }

  #sendDifference(): void {
    const difference = this.#difference
    this.#difference = new Map()
    for (const kind of ['unsubscribe', 'subscribe'] as const) {
      const interests = [...difference.values()].flatMap(({ interest, count }) => {
        return Array.from({ length: Math.max(kind === 'subscribe' ? count : -count, 0) }, () => interest)
      })
      for (const chunk of chunked(interests, this.#limit())) {
        this.#sequence++
        const leaving = kind === 'unsubscribe' && this.#withdrawal ? { isLast: false } : {}
        this.#send({ kind, sequence: this.#sequence, interests: chunk, ...leaving })
      }
    }
    // Behind the answer to the changes: until then the peer may have sent events for which we return others.
    if (difference.size > 0 || !this.#withdrawal || this.#withdrawal.sequence !== undefined) return
    this.#withdrawal.sequence = ++this.#sequence
    this.#send({ kind: 'unsubscribe', sequence: this.#sequence, interests: [], isLast: true })
  }
}

function* chunked(interests: Iterable<Interest>, limit: number): Generator<readonly Interest[]> {
  let chunk: Interest[] = []
  let bytes = AROUND_LIST
  for (const interest of interests) {
    const size = bytesOf(interest)
    if (bytes + size > limit && chunk.length > 0) {
      yield chunk
      chunk = []
      bytes = AROUND_LIST
    }
    chunk.push(interest)
    bytes += size
  }
  if (chunk.length > 0) yield chunk
}
