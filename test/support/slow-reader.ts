import { DEFAULT_LIMITS } from '../../src/model/limits'
import type { Connection } from '../../src/platform/transport'
import { decodeMessage } from '../../src/wire/codec'
import { FrameReader } from '../../src/wire/frame'
import type { Message } from '../../src/wire/message'

/** A connection whose other side reads only on demand. */
export class SlowReader implements Connection {
  readonly messages: Message[] = []
  writes = 0
  #waiting: (() => void)[] = []
  #isReading = false
  readonly #reader = new FrameReader(DEFAULT_LIMITS.frameBytes, (bytes, start, end) => {
    this.messages.push(decodeMessage(bytes, start, end))
  })

  attach(): void {}
  end(): void {}
  linger(): void {}
  destroy(): void {}

  write(chunks: readonly Uint8Array[], done: () => void): boolean {
    this.writes++
    const copy = Buffer.concat(chunks)
    if (this.#isReading) this.#reader.push(copy)
    else {
      this.#waiting.push(() => {
        this.#reader.push(copy)
        done()
      })
    }
    return this.#isReading
  }

  /** Reads everything written so far and later. */
  read(): void {
    this.#isReading = true
    for (const take of this.#waiting.splice(0)) take()
  }

  /** Reads everything written so far. */
  readOnce(): void {
    for (const take of this.#waiting.splice(0)) take()
  }

  /** The numbers of the received events, and the gaps between them. */
  get received(): (number | { gap: number })[] {
    return this.messages.flatMap((message): (number | { gap: number })[] => {
      if (message.kind === 'event' && typeof message.payload === 'number') return [message.payload]
      return message.kind === 'gap' ? [{ gap: message.count }] : []
    })
  }
}
