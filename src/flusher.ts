import PQueue from 'p-queue'
import type { Clock } from './clock'
import type { Connection } from './transport'

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
 * Writes to a connection what there is to send, one write after the other: at the end of the turn, so that much of it
 * leaves at once, or now. The jobs of a queue of concurrency 1 each go on until there is nothing left.
 */
export class Flusher {
  readonly #connection: Connection
  readonly #clock: Clock
  readonly #source: FlushSource
  readonly #flushes = new PQueue({ concurrency: 1 })
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

  /** Sends at the end of the turn, unless that is planned already. */
  plan(): void {
    if (this.#state !== 'idle') return
    this.#state = 'scheduled'
    this.#clock.defer(() => {
      if (this.#state === 'scheduled') this.#start()
    })
  }

  /** Sends now. */
  start(): void {
    if (this.#state === 'idle' || this.#state === 'scheduled') this.#start()
  }

  /** Sends nothing more. */
  close(): void {
    this.#state = 'closed'
  }

  #start(): void {
    this.#state = 'running'
    void this.#flushes.add(this.#flush)
  }

  readonly #flush = async (): Promise<void> => {
    while (this.#state === 'running' && this.#source.hasSendable()) {
      const chunks = this.#source.take()
      await new Promise<void>((resolve) => this.#connection.write(chunks, resolve))
      this.#source.left()
    }
    if (this.#state === 'running') this.#state = 'idle'
    this.#source.rested()
  }
}
