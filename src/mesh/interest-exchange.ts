import { type Interest, InterestSet, isMember, keyOf } from '../model/interest'
import type { Message, MessageOf } from '../wire/message'

/** What changes a peer's knowledge of what the other is subscribed to. */
export type InterestChange = MessageOf<'subscribe' | 'unsubscribe'>

/** Bytes around the names in a message (map, keys, string headers), and of the elements around the list. */
const AROUND_INTEREST = 48
const AROUND_LIST = 64

/** What has come and gone since the last change that was told: what cancels out is never told. */
type Difference = Map<string, { readonly interest: Interest; count: number }>

/**
 * What the two ends of a link have told each other about their subscriptions.
 *
 * There is one change under way at a time. What changes until it is acknowledged is gathered, so that a peer that is
 * stopped costs no more than what differs in the end.
 */
export class InterestExchange {
  readonly #send: (message: Message) => void
  readonly #limit: () => number
  readonly #theirs = new InterestSet()
  #difference: Difference = new Map()
  #sequence = 0
  #acknowledged = 0
  /** Those who wait for what is under way, and for what has been gathered since. */
  #underWay = new Waiters()
  #gathered = new Waiters()

  /** @param limit bytes that a message may have */
  constructor(send: (message: Message) => void, limit: () => number) {
    this.#send = send
    this.#limit = limit
  }

  /** What the peer wants. */
  get theirs(): Iterable<Interest> {
    return this.#theirs
  }

  /** Something has changed on our side; the peer is told. */
  announce(kind: InterestChange['kind'], interest: Interest): void {
    this.#note(kind, interest)
    if (this.#isKnown) this.#tell()
  }

  /** Tells the peer of all we want. */
  announceAll(interests: Iterable<Interest>): void {
    for (const interest of interests) this.#note('subscribe', interest)
    this.#tell()
  }

  /** Resolves when the peer knows of all that has been announced by now, or the link has ended. */
  known(): Promise<void> {
    if (this.#isKnown) return Promise.resolve()
    return (this.#difference.size > 0 ? this.#gathered : this.#underWay).promise
  }

  /** The peer knows what we have announced up to this number. */
  acknowledged(sequence: number): void {
    if (sequence <= this.#acknowledged || sequence > this.#sequence) return
    this.#acknowledged = sequence
    if (!this.#isKnown) return
    this.#underWay.resolve()
    this.#underWay = this.#gathered
    this.#gathered = new Waiters()
    this.#tell()
    if (this.#isKnown) this.#underWay.resolve()
  }

  /** Takes note of a change on the peer's side. Returns what of it is new; to be acknowledged once it is acted on. */
  learn({ kind, interests }: InterestChange): readonly Interest[] {
    return interests.filter((interest) => {
      const isKnown = this.#theirs.has(interest)
      if (kind === 'unsubscribe') return isKnown && this.#theirs.remove(interest)
      return (!isKnown || isMember(interest)) && this.#theirs.add(interest)
    })
  }

  /** Tells the peer that its change of this number is acted on. */
  acknowledge(sequence: number): void {
    this.#send({ kind: 'acknowledge', sequence })
  }

  /** The link has ended: nobody waits for its acknowledgements any more. */
  end(): void {
    this.#acknowledged = this.#sequence
    this.#difference.clear()
    this.#underWay.resolve()
    this.#gathered.resolve()
  }

  get #isKnown(): boolean {
    return this.#acknowledged === this.#sequence
  }

  #note(kind: InterestChange['kind'], interest: Interest): void {
    const key = keyOf(interest)
    const known = this.#difference.get(key) ?? { interest, count: 0 }
    known.count += kind === 'subscribe' ? 1 : -1
    if (known.count === 0) this.#difference.delete(key)
    else this.#difference.set(key, known)
  }

  /** Sends what is different. */
  #tell(): void {
    const difference = this.#difference
    this.#difference = new Map()
    for (const kind of ['unsubscribe', 'subscribe'] as const) {
      const interests = [...difference.values()].flatMap(({ interest, count }) => {
        return Array.from({ length: Math.max(kind === 'subscribe' ? count : -count, 0) }, () => interest)
      })
      for (const chunk of chunked(interests, this.#limit())) {
        this.#sequence++
        this.#send({ kind, sequence: this.#sequence, interests: chunk })
      }
    }
  }
}

/** One promise for everyone who waits for the same, made for the first of them. */
class Waiters {
  #waiting: { readonly promise: Promise<void>; readonly resolve: () => void } | undefined

  get promise(): Promise<void> {
    if (!this.#waiting) {
      let resolve = () => {}
      const promise = new Promise<void>((done) => {
        resolve = done
      })
      this.#waiting = { promise, resolve }
    }
    return this.#waiting.promise
  }

  resolve(): void {
    this.#waiting?.resolve()
    this.#waiting = undefined
  }
}

function* chunked(interests: Iterable<Interest>, limit: number): Generator<readonly Interest[]> {
  let chunk: Interest[] = []
  let bytes = AROUND_LIST
  for (const interest of interests) {
    const size = sizeOf(interest)
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

function sizeOf({ type, from, queue = '' }: Interest): number {
  const names = from === undefined ? 0 : Buffer.byteLength(JSON.stringify(from))
  return AROUND_INTEREST + Buffer.byteLength(type) + names + Buffer.byteLength(queue)
}
