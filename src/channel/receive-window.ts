import { ProtocolViolation } from '../model/errors'
import type { Clock, Timer } from '../platform/clock'

/** Keeps a received event charged to the receive window. One of its methods has to be called, once. */
export interface Receipt {
  /**
   * The event has been handled.
   *
   * @param hasFailed whether its handler has thrown or rejected. Default false
   */
  done(hasFailed?: boolean): void
  /** The event has not been handled, and will not be by this holder. */
  release(): void
}

/** Milliseconds after which even little credit is granted, so that a sender learns of its last events. */
const CREDIT_DELAY = 100

/**
 * The receiver's end of credit-based flow control. A received event stays charged to the window until all its holders
 * are done with it; then its bytes are granted to the sender again. Credit is granted in batches of half the window, or
 * after a delay, or at the end of the turn if the window is used up.
 */
export class ReceiveWindow {
  readonly #window: number
  readonly #clock: Clock
  readonly #grant: (bytes: number, events: number) => void
  /** Bytes received and not granted again. */
  #charged = 0
  /** Bytes and events among them that are done. */
  #doneBytes = 0
  #doneEvents = 0
  #state: 'idle' | 'scheduled' | 'finished' | 'stopped' = 'idle'
  #delay: Timer | undefined
  /** The event that is being delivered, once it is held. */
  #held: HeldEvent | undefined
  /** Bytes of the event that is being delivered. */
  #bytes = 0

  /**
   * @param window bytes that the sender may be ahead of its credit
   * @param grant sends the credit
   */
  constructor(window: number, clock: Clock, grant: (bytes: number, events: number) => void) {
    this.#window = window
    this.#clock = clock
    this.#grant = grant
  }

  /**
   * Charges an event, before it is delivered.
   *
   * @throws ProtocolViolation if the sender had used up its window before
   */
  begin(bytes: number): void {
    if (this.#charged >= this.#window) {
      const used = `${this.#charged} bytes without credit in a window of ${this.#window}`
      throw new ProtocolViolation('window-exceeded', `an event came while the window was used up: ${used}`)
    }
    this.#charged += bytes
    this.#bytes = bytes
    this.#held = undefined
  }

  /**
   * Keeps the event that is being delivered charged until the receipt is settled.
   *
   * @param isAssigned whether its sender is told what becomes of it
   */
  hold(isAssigned = false): Receipt {
    const bytes = this.#bytes
    this.#held ??= new HeldEvent(() => (isAssigned ? this.#assignedDone(bytes) : this.#done(bytes)))
    return this.#held.hold()
  }

  /** The event has been delivered: it is done unless it is held. */
  end(): void {
    const held = this.#held
    this.#held = undefined
    if (!held) return this.#done(this.#bytes)
    held.done()
    if (this.#isUsedUp) this.#schedule()
  }

  /** Whether no event is waiting or being handled. */
  get isEmpty(): boolean {
    return this.#charged === this.#doneBytes
  }

  /**
   * Grants what is done; after that only events whose fate the sender is told, so that they don't count as unconfirmed
   * there.
   */
  finish(): void {
    this.#grantDone()
    this.#state = 'finished'
    this.#delay?.cancel()
  }

  /** Grants nothing more: the sender is gone. */
  stop(): void {
    this.#state = 'stopped'
    this.#delay?.cancel()
  }

  get #isOver(): boolean {
    return this.#state === 'finished' || this.#state === 'stopped'
  }

  get #isUsedUp(): boolean {
    return this.#charged >= this.#window
  }

  #done(bytes: number): void {
    this.#doneBytes += bytes
    this.#doneEvents++
    if (this.#doneBytes * 2 >= this.#window) this.#grantDone()
    else if (this.#isUsedUp) this.#schedule()
    else if (this.#delay === undefined && !this.#isOver) this.#grantLater()
  }

  #assignedDone(bytes: number): void {
    if (this.#state !== 'finished') return this.#done(bytes)
    this.#charged -= bytes
    this.#grant(bytes, 1)
  }

  #grantLater(): void {
    this.#delay = this.#clock.after(CREDIT_DELAY, () => {
      this.#delay = undefined
      this.#grantDone()
    })
  }

  #schedule(): void {
    if (this.#state !== 'idle' || this.#doneBytes === 0) return
    this.#state = 'scheduled'
    this.#clock.nextTurn(() => {
      if (this.#state === 'scheduled') this.#state = 'idle'
      this.#grantDone()
    })
  }

  #grantDone(): void {
    const [bytes, events] = [this.#doneBytes, this.#doneEvents]
    if (bytes === 0 || this.#isOver) return
    this.#charged -= bytes
    this.#doneBytes = this.#doneEvents = 0
    this.#grant(bytes, events)
  }
}

/** An event with several holders. It is done when all of them are. */
class HeldEvent implements Receipt {
  readonly #done: () => void
  /** The delivery is the first. */
  #holders = 1

  constructor(done: () => void) {
    this.#done = done
  }

  hold(): this {
    this.#holders++
    return this
  }

  done(): void {
    this.#holders--
    if (this.#holders === 0) this.#done()
  }

  release(): void {
    this.done()
  }
}
