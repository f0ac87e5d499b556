import type { Message, MessageOf } from './message'

/** What changes a peer's knowledge of what the other is subscribed to. */
export type InterestChange = MessageOf<'subscribe' | 'unsubscribe'>

/** Bytes around a type's name in a message (map, key, string header), and of the elements around the list. */
const AROUND_TYPE = 16
const AROUND_LIST = 64

/** What the two ends of a link have told each other about their subscriptions. */
export class Interest {
  readonly #send: (message: Message) => void
  readonly #unacknowledged = new Map<number, () => void>()
  readonly #theirs = new Set<string>()
  #sequence = 0

  constructor(send: (message: Message) => void) {
    this.#send = send
  }

  /** The types the peer is subscribed to. */
  get theirs(): ReadonlySet<string> {
    return this.#theirs
  }

  /** Tells the peer of a change on our side; resolves when it has acknowledged, or the link has ended. */
  announce(kind: InterestChange['kind'], types: readonly string[]): Promise<void> {
    const sequence = ++this.#sequence
    this.#send({ kind, sequence, types })
    return new Promise((resolve) => this.#unacknowledged.set(sequence, resolve))
  }

  /** Tells the peer of all our types, in messages of at most so many bytes. */
  announceAll(types: readonly string[], limit: number): void {
    for (const chunk of chunked(types, limit)) void this.announce('subscribe', chunk)
  }

  /** The peer knows what we have announced under this number. */
  acknowledged(sequence: number): void {
    this.#unacknowledged.get(sequence)?.()
    this.#unacknowledged.delete(sequence)
  }

  /** Takes note of a change on the peer's side, and acknowledges it. */
  learn({ kind, types, sequence }: InterestChange): void {
    for (const type of types) {
      if (kind === 'subscribe') this.#theirs.add(type)
      else this.#theirs.delete(type)
    }
    this.#send({ kind: 'acknowledge', sequence })
  }

  /** The link has ended: nobody waits for its acknowledgements any more. */
  end(): void {
    for (const resolve of this.#unacknowledged.values()) resolve()
    this.#unacknowledged.clear()
  }
}

function* chunked(types: readonly string[], limit: number): Generator<readonly string[]> {
  let chunk: string[] = []
  let bytes = AROUND_LIST
  for (const type of types) {
    const size = AROUND_TYPE + Buffer.byteLength(type)
    if (bytes + size > limit && chunk.length > 0) {
      yield chunk
      chunk = []
      bytes = AROUND_LIST
    }
    chunk.push(type)
    bytes += size
  }
  if (chunk.length > 0) yield chunk
}
