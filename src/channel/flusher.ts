import type PQueue from 'p-queue'
import type { Clock } from '../platform/clock'
import type { Connection } from '../platform/transport'

/** Where what is flushed comes from. */
export interface FlushSource {
  /** Is there anything that may be sent now? */
  hasSendable(): boolean
  /** Takes what is to be written next. */
  take(): readonly Buffer[]
  /** What was taken has left this process. */
  left(): void
  /** Nothing is left that may be sent now. */
  rested(): void
}

/**
 * Writes to a connection what there is to send: when what runs now has had its say, so that much of it leaves together,
 * or at once. What the connection does not take then becomes a job of a queue of concurrency 1, which goes on until nothing is left.
 */
export class Flusher {
  readonly #connection: Connection
  readonly #clock: Clock
  readonly #source: FlushSource
  /** Made when it is needed: most links never keep a sender waiting, and it is large beside them. */
  #jobs: PQueue | undefined
  #state: 'idle' | 'scheduled' | 'running' | 'closed' = 'idle'

  constructor(connection: Connection, clock: Clock, source: FlushSource) {
    this.#connection = connection
    this.#clock = clock
    this.#source = source
  }

  get isIdle(): boolean {
    return this.#state === 'idle'
  }

  get isRunning(): boolean {
    return this.#state === 'running'
  }

  get isClosed(): boolean {
    return this.#state === 'closed'
  }

  /** Sends soon, unless that is planned already. */
  plan(): void {
    if (this.#state !== 'idle') return
    this.#state = 'scheduled'
    this.#clock.nextTick(this.#flushPlanned)
  }

  /** Sends now. */
  start(): void {
    if (this.#state === 'idle' || this.#state === 'scheduled') this.#flush()
  }

  /** Sends nothing more. */
  close(): void {
    this.#state = 'closed'
  }

  readonly #flushPlanned = (): void => {
    if (this.#state === 'scheduled') this.#flush()
  }

  #flush(): void {
    this.#state = 'running'
    const leaving = this.#write()
    if (!leaving) return
    this.#jobs ??= newQueue()
    void this.#jobs.add(() => this.#writeOn(leaving))
  }

  /** Writes until nothing is left, or until the connection needs time: then what to wait for is returned. */
  #write(): Promise<void> | undefined {
    while (this.#state === 'running' && this.#source.hasSendable()) {
      let hasLeft = false
      const leaving = new Promise<void>((resolve) => {
        hasLeft = this.#connection.write(this.#source.take(), resolve)
      })
      if (!hasLeft) return leaving
      this.#source.left()
    }
    if (this.#state === 'running') this.#state = 'idle'
    this.#source.rested()
    return undefined
  }

  async #writeOn(leaving: Promise<void>): Promise<void> {
    for (let next: Promise<void> | undefined = leaving; next; next = this.#write()) {
      await next
      this.#source.left()
    }
  }
}

/** Loaded with the first link that keeps a sender waiting: that takes half as long as to load all the rest. */
function newQueue(): PQueue {
  const { default: Queue }: typeof import('p-queue') = require('p-queue')
  return new Queue({ concurrency: 1 })
}
