import type { EventHeaders } from '../model/event'
import { NO_HEADERS } from '../model/headers'
import { inLatestContext } from '../platform/async-context'
import { decodeNextMessage } from '../wire/codec'
import { EventDecoder } from '../wire/event-decoder'
import { FrameReader, PREFIX_BYTES } from '../wire/frame'
import type { Message } from '../wire/message'
import type { ReceiveWindow } from './receive-window'

/** Receives the messages of a connection. */
export interface InboundSink {
  /** @param bytes of its frame */
  readonly event: (type: string, payload: unknown, headers: EventHeaders, bytes: number) => void
  /** @param bytes of its frame */
  readonly message: (message: Message, bytes: number) => void
}

/** Decodes the bytes of a connection into messages, and charges events to the receive window. */
export class Inbound {
  readonly #receiveWindow: ReceiveWindow
  readonly #sink: InboundSink
  readonly #reader: FrameReader
  readonly #decoder = new EventDecoder()
  readonly #read = (chunk: Buffer) => this.#reader.push(chunk)
  #takesEvents: boolean
  /** Whether it has ever taken events. Those that come later are read all the same, and so are their shapes. */
  #hasTakenEvents: boolean
  #isStopped = false

  /**
   * @param limit bytes of a frame's body
   * @param takesEvents whether events are delivered as such from the start
   */
  constructor(limit: number, takesEvents: boolean, receiveWindow: ReceiveWindow, sink: InboundSink) {
    this.#receiveWindow = receiveWindow
    this.#sink = sink
    this.#hasTakenEvents = this.#takesEvents = takesEvents
    this.#reader = new FrameReader(limit, (bytes, start, end, isOwn) => {
      this.#receive(bytes, start, end, isOwn)
    })
  }

  /** Bytes of a frame that has not arrived whole. */
  get heldBytes(): number {
    return this.#reader.heldBytes
  }

  set limit(bytes: number) {
    this.#reader.limit = bytes
  }

  /** Whether events go to `event` and are charged. If not, they go to `message`, for its owner to refuse. */
  set takesEvents(takesEvents: boolean) {
    this.#hasTakenEvents ||= takesEvents
    this.#takesEvents = takesEvents
  }

  /** @throws ProtocolViolation */
  push(chunk: Buffer): void {
    try {
      inLatestContext(this.#read, chunk)
    } finally {
      this.#decoder.forget()
    }
  }

  /** Delivers a message that is not encoded, and counts for this many bytes. */
  pushMessage(message: Message, size: number): void {
    if (!this.#isStopped) this.#receiveMessage(message, size)
  }

  /** Delivers nothing more, not even from the chunk that is being read. */
  stop(): void {
    this.#isStopped = true
    this.#reader.stop()
  }

  #receive(bytes: Buffer, start: number, end: number, isOwn: boolean): void {
    const size = end - start + PREFIX_BYTES
    const decoder = this.#decoder
    if (!this.#takesEvents || !decoder.readPreamble(bytes, start, end)) {
      const delivery = this.#takesEvents ? decoder.delivery(bytes, start, end, isOwn) : undefined
      return this.#receiveMessage(delivery ?? decodeNextMessage(bytes, start, end, decoder.shapes), size)
    }
    const { type } = decoder
    const payload = decoder.payload(bytes, end, isOwn)
    this.#receiveWindow.begin(size)
    this.#sink.event(type, payload, NO_HEADERS, size)
    this.#receiveWindow.end()
  }

  #receiveMessage(message: Message, size: number): void {
    if (this.#hasTakenEvents && message.kind === 'shape') return this.#decoder.shapes.add(message.keys)
    const isCharged = this.#takesEvents && (message.kind === 'event' || message.kind === 'assign')
    if (isCharged) this.#receiveWindow.begin(size)
    this.#sink.message(message, size)
    if (isCharged) this.#receiveWindow.end()
  }
}
