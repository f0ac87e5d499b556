import type { Clock } from './clock'
import { decodeMessage, EventDecoder } from './codec'
import { type Frame, FrameReader } from './frame'
import type { Limits } from './limits'
import { Outbox } from './outbox'
import type { Connection } from './transport'

export interface LoopbackEvents {
  readonly event: (type: string, payload: unknown) => void
  readonly gap: (count: number) => void
}

/**
 * The way to an endpoint's own subscriptions. They get what any other endpoint would get: a copy, in the order of the
 * broadcasts, never from inside `broadcast`, and within the same bounds.
 */
export class Loopback {
  readonly outbox: Outbox

  constructor(clock: Clock, limits: Limits, events: LoopbackEvents) {
    const decoder = new EventDecoder()
    const reader = new FrameReader(limits.frame, (bytes, start, end) => {
      const header = decoder.header(bytes, start, end)
      if (header) return events.event(header.type, decoder.payload(bytes, header.payloadStart, end))
      const message = decodeMessage(bytes, start, end)
      if (message.kind === 'gap') events.gap(message.count)
    })
    const connection: Connection = {
      attach: () => {},
      write: (chunks, done) =>
        clock.defer(() => {
          for (const chunk of chunks) reader.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length))
          done()
        }),
      end: () => {},
      destroy: () => reader.stop(),
    }
    this.outbox = new Outbox(connection, clock, limits, { lagging: () => {}, recovered: () => {} })
  }

  send(frame: Frame): void {
    this.outbox.push(frame)
  }
}
