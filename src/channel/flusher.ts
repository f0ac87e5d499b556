import PQueue from 'p-queue'
import type { Clock } from '../platform/clock'
import type { Connection } from '../platform/transport'

/** Where a flusher gets its chunks from. */
export interface FlushSource {
  /** Takes the chunks of the next write; `undefined` if there is nothing to send now. */
  next(): readonly Buffer[] | undefined
  /** The chunks taken last have left this process. */
  onWritten(): void
}

/**
 * Decides when an outbox writes to its connection:
 *
 *     idle ──schedule──▶ scheduled ──end of the tick──▶ flush ──nothing left──▶ idle
 *                                                       ▲   │
 *                                     write has left    │   │ write not taken at once
 *                                                      writing
 *
 * A flush that the connection does not take at once becomes a job of a queue, which writes until nothing is left. Meanwhile
 * `flush` does nothing; only a flush from within `onWritten` may have to wait for a write of its own, and its job takes
 * over. A connection that takes everything at once costs no promise.
 */
export class Flusher {
  readonly #connection: Connection
  readonly #clock: Clock
  readonly #source: FlushSource
  /** Created by the first write that has to wait: most connections never need it. */
  #queue: PQueue | undefined
  #state: 'idle' | 'scheduled' | 'writing' | 'closed' = 'idle'
  #resolveWrite = () => {}

  constructor(connection: Connection, clock: Clock, source: FlushSource) {
    this.#connection = connection
    this.#clock = clock
    this.#source = source
  }

  /** Whether it flushes at the end of the current tick. */
  get isScheduled(): boolean {
    return this.#state === 'scheduled'
  }

  /** Whether a write is under way that the connection did not take at once. */
  get isWriting(): boolean {
    return this.#state === 'writing'
  }

  get isClosed(): boolean {
    return this.#state === 'closed'
  }

  /** Flushes at the end of the current tick. */
  schedule(): void {
    if (this.#state !== 'idle') return
    this.#state = 'scheduled'
    this.#clock.nextTick(this.#flushScheduled)
  }

  /** Flushes now, unless a write is under way: the rest follows it anyway. */
  flush(): void {
    const written = this.#write()
    if (!written) return
    // It learns of the end of a job by a global function, which a test framework may have faked: then it never does.
    if (!this.#queue || this.#queue.pending > 0) this.#queue = new PQueue({ concurrency: 1 })
    void this.#queue.add(() => this.#flushAfter(written))
  }

  /** Writes nothing more. */
  close(): void {
    this.#state = 'closed'
  }

  readonly #flushScheduled = (): void => {
    if (this.#state !== 'scheduled') return
    this.#state = 'idle'
    this.flush()
  }

  readonly #writeLeft = (): void => this.#resolveWrite()

  /** Writes until nothing is left to send, or until a write has to be waited for: then resolves when it has left. */
  #write(): Promise<void> | undefined {
    while (this.#state === 'idle' || this.#state === 'scheduled') {
      const chunks = this.#source.next()
      if (!chunks) return undefined
      if (!this.#connection.write(chunks, this.#writeLeft)) return this.#waitForWrite()
      this.#source.onWritten()
    }
    return undefined
  }

  #waitForWrite(): Promise<void> | undefined {
    if (this.isClosed) return undefined
    this.#state = 'writing'
    return new Promise((resolve) => {
      this.#resolveWrite = resolve
    })
  }

  async #flushAfter(write: Promise<void>): Promise<void> {
    for (let written: Promise<void> | undefined = write; written; written = this.#write()) {
      await written
      if (this.isClosed) return
      this.#state = 'idle'
      this.#source.onWritten()
    }
  }
}
