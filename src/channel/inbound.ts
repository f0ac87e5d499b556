import { decodeMessage } from '../wire/codec'
import { EventDecoder } from '../wire/event-decoder'
import { FrameReader, PREFIX_BYTES } from '../wire/frame'
import type { Message } from '../wire/message'
import type { ReceiveWindow } from './receive-window'

/** Where what has come in goes. */
export interface InboundSink {
  readonly event: (type: string, payload: unknown) => void
  readonly message: (message: Message) => void
}

/** Bytes that come in, as messages; events are decoded where they lie, and are on the sender's account. */
export class Inbound {
  readonly #receiveWindow: ReceiveWindow
  readonly #sink: InboundSink
  readonly #reader: FrameReader
  readonly #decoder = new EventDecoder()
  #takesEvents: boolean

  /**
   * @param limit bytes a frame's body may have
   * @param takesEvents whether events are legal from the start
   */
  constructor(limit: number, takesEvents: boolean, receiveWindow: ReceiveWindow, sink: InboundSink) {
    this.#receiveWindow = receiveWindow
    this.#sink = sink
    this.#takesEvents = takesEvents
    this.#reader = new FrameReader(limit, (bytes, start, end, isOwn) => {
      this.#receive(bytes, start, end, isOwn)
    })
  }

  /** Bytes of a frame that has begun and not ended. */
  get heldBytes(): number {
    return this.#reader.heldBytes
  }

  set limit(bytes: number) {
    this.#reader.limit = bytes
  }

  /** Are events handed on as such? If not, they are messages like any other, and on nobody's account. */
  set takesEvents(takesEvents: boolean) {
    this.#takesEvents = takesEvents
  }

  /** @throws ProtocolViolation */
  push(chunk: Buffer): void {
    try {
      this.#reader.push(chunk)
    } finally {
      this.#decoder.forget()
    }
  }

  /** Hands on nothing more, not even from the chunk being read. */
  stop(): void {
    this.#reader.stop()
  }

  #receive(bytes: Buffer, start: number, end: number, isOwn: boolean): void {
    const size = end - start + PREFIX_BYTES
    const decoder = this.#decoder
    if (!this.#takesEvents || !decoder.readHeader(bytes, start, end)) {
      return this.#receiveMessage(decodeMessage(bytes, start, end), size)
    }
    const { type } = decoder
    const payload = decoder.payload(bytes, end, isOwn)
    this.#receiveWindow.begin(size)
    this.#sink.event(type, payload)
    this.#receiveWindow.end()
  }

  #receiveMessage(message: Message, size: number): void {
    const isOnAccount = this.#takesEvents && (message.kind === 'event' || message.kind === 'assign')
    if (isOnAccount) this.#receiveWindow.begin(size)
    this.#sink.message(message)
    if (isOnAccount) this.#receiveWindow.end()
  }
}
