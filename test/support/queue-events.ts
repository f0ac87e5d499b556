import { QueueEvent } from '../../src/queues/queue-event'
import type { Addressing } from '../../src/routing/eligibility'
import { pack } from '../../src/wire/packer'

interface Options {
  readonly type?: string
  readonly addressing?: Addressing
  /** The key of the policy `latest`. */
  readonly key?: string
  /** Bytes of the payload besides its number. */
  readonly filler?: number
}

/** An event of the queue `q` whose payload is its place, or begins with it. */
export function queueEvent(place: number, { type = 'job', addressing, key, filler }: Options = {}): QueueEvent {
  const { bytes, end } = pack(filler === undefined ? place : [place, Buffer.alloc(filler)], 1024 * 1024)
  const content = { kind: 'packed', bytes: Buffer.from(bytes.subarray(0, end)), hasBigints: false } as const
  return new QueueEvent('q', type, addressing, content, place, { key })
}

export function placesOf(events: Iterable<QueueEvent>): number[] {
  return [...events].map(({ place }) => place)
}
