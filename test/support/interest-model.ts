import { expect } from 'chai'
import { InterestExchange, type Milestone } from '../../src/mesh/interest-exchange'
import { type Interest, InterestSet, keyOf } from '../../src/model/interest'
import type { Message } from '../../src/wire/message'

/** Interests that are added and removed, one of them several times. */
const INTERESTS: readonly Interest[] = Array.from({ length: 6 }, (_, index) => ({ type: `type.${index}` }))
const MEMBER: Interest = { type: 'shared', queue: 'q' }

/** Maximum bytes of a message, so few that two or three interests fill it. */
const limit = () => 200

/** Waits until what has been announced so far is acknowledged. */
interface Requester {
  readonly acknowledged: Milestone
  /** Interests that have changed since the call. */
  readonly changed: Set<string>
}

/** Two ends of a link, with delayed messages and acknowledgements, and what waits for them. */
export class InterestModel {
  readonly #ours = new InterestSet()
  readonly #sent: Message[] = []
  readonly #acknowledgements: number[] = []
  readonly #near = new InterestExchange((message) => this.#sent.push(message), limit, INTERESTS.length + 100)
  readonly #far = new InterestExchange(
    (message) => message.kind === 'acknowledge' && this.#acknowledgements.push(message.sequence),
    limit,
    INTERESTS.length + 100,
  )
  #askers: Requester[] = []

  /** Adds or removes an interest here. */
  toggle(index: number): void {
    const interest = INTERESTS[index % INTERESTS.length] ?? MEMBER
    this.#change(this.#ours.has(interest) ? 'unsubscribe' : 'subscribe', interest)
  }

  /** A member of the queue joins or leaves. */
  member(joins: boolean): void {
    if (joins) this.#change('subscribe', MEMBER)
    else if (this.#ours.has(MEMBER)) this.#change('unsubscribe', MEMBER)
  }

  /** One message arrives at the peer, which applies it. */
  deliver(): void {
    const message = this.#sent.shift()
    if (message?.kind !== 'subscribe' && message?.kind !== 'unsubscribe') return
    const { kind, interests, sequence } = message
    // All that is told is news, since what cancels out is not told.
    expect(this.#far.apply(message), `${kind} ${sequence}`).to.deep.equal(interests)
    this.#far.acknowledge(sequence)
  }

  /** One acknowledgement arrives here. */
  acknowledge(): void {
    const sequence = this.#acknowledgements.shift()
    if (sequence !== undefined) this.#near.onAcknowledge(sequence)
  }

  /** Begins to wait: does the peer know of everything announced so far? */
  ask(): void {
    this.#askers.push({ acknowledged: this.#near.acknowledged, changed: new Set() })
  }

  /** A wait is over only when the peer knows. */
  check(): void {
    const waiting: Requester[] = []
    for (const asker of this.#askers) {
      if (!asker.acknowledged.isReached) waiting.push(asker)
      else for (const interest of [...INTERESTS, MEMBER]) this.#expectKnown(interest, asker)
    }
    this.#askers = waiting
  }

  /** When everything has arrived, the peer knows all interests, and no wait is left. */
  finish(): void {
    this.ask()
    while (this.#sent.length > 0 || this.#acknowledgements.length > 0) {
      this.deliver()
      this.acknowledge()
      this.check()
    }
    this.check()
    expect(this.#askers).to.deep.equal([])
    for (const interest of [...INTERESTS, MEMBER]) expect(this.#known(interest)).to.equal(this.#wanted(interest))
  }

  #change(kind: 'subscribe' | 'unsubscribe', interest: Interest): void {
    if (kind === 'subscribe') this.#ours.add(interest)
    else this.#ours.remove(interest)
    for (const { changed } of this.#askers) changed.add(keyOf(interest))
    this.#near.announce(kind, interest)
  }

  #expectKnown(interest: Interest, { changed }: Requester): void {
    if (changed.has(keyOf(interest))) return
    expect(this.#known(interest), `${interest.type} at the peer`).to.equal(this.#wanted(interest))
  }

  #wanted = (interest: Interest) => countOf(this.#ours, interest)
  #known = (interest: Interest) => countOf(this.#far.theirs, interest)
}

function countOf(interests: Iterable<Interest>, interest: Interest): number {
  return [...interests].filter((one) => keyOf(one) === keyOf(interest)).length
}
