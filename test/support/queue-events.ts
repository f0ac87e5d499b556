import type { Redelivery } from '../../src/model/redelivery'
import { QueueEvent } from '../../src/queues/queue-event'
import type { Addressing } from '../../src/routing/eligibility'
import { packPayload } from '../../src/wire/packer'

interface Options {
  readonly type?: string
  readonly addressing?: Addressing
  /** The key of the policy `latest`. */
  readonly key?: string
  /** Bytes of the payload besides its number. */
  readonly filler?: number
  /** Default: `q`. */
  readonly queue?: string
  /** Its key among the events that are handled one after another. */
  readonly partition?: string
  /** Milliseconds for which it waits for a queue. */
  readonly hold?: number
  /** Default: never given again. */
  readonly redelivery?: Partial<Redelivery>
}

/** An event of a queue whose payload is its place, or begins with it. */
export function queueEvent(place: number, options: Options = {}): QueueEvent {
  const { type = 'job', addressing, filler, queue = 'q', key, partition, hold, redelivery } = options
  const { bytes, end } = packPayload(filler === undefined ? place : [place, Buffer.alloc(filler)], 1024 * 1024)
  const content = { kind: 'packed', bytes: Buffer.from(bytes.subarray(0, end)), hasBigints: false } as const
  return new QueueEvent(queue, type, addressing, content, place, {
    key,
    partition,
    hold,
    redelivery: redelivery && { times: 0, delay: 0, onError: true, deadLetter: undefined, ...redelivery },
  })
}

export function placesOf(events: Iterable<QueueEvent>): number[] {
  return [...events].map(({ place }) => place)
}
