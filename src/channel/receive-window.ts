import { ProtocolViolation } from '../model/errors'
import type { Clock, Timer } from '../platform/clock'

/** What is owed for an event that has been handed on: in the end one of the two is called, once. */
export interface Receipt {
  /** It is done with. */
  done(): void
  /** It was not begun, and will not be here. */
  release(): void
}

/** Milliseconds after which even a little credit goes back, so that a sender knows what has become of its last events. */
const PAUSE = 100

/**
 * The receiving end of a window: what a sender has sent stays on its account until everyone here who has it is done
 * with it. Credit goes back in batches of half the window, or after a pause; where the sender can do nothing without it,
 * every turn.
 */
export class ReceiveWindow {
  readonly #window: number
  readonly #clock: Clock
  readonly #give: (bytes: number, events: number) => void
  /** Received and not given back. */
  #outstanding = 0
  /** Of it, what is done with. */
  #doneBytes = 0
  #doneEvents = 0
  #giving: 'idle' | 'scheduled' | 'over' = 'idle'
  #pause: Timer | undefined
  /** The event that is being handed out, once somebody holds it. */
  #held: HeldEvent | undefined
  #bytes = 0

  /**
   * @param window bytes that a sender may be ahead of its credit
   * @param give tells the sender that so many bytes, of so many events, are done with
   */
  constructor(window: number, clock: Clock, give: (bytes: number, events: number) => void) {
    this.#window = window
    this.#clock = clock
    this.#give = give
  }

  /**
   * An event of so many bytes is about to be handed out.
   *
   * @throws ProtocolViolation where the sender had used up its window before
   */
  begin(bytes: number): void {
    if (this.#outstanding >= this.#window) {
      const got = `another event after ${this.#outstanding}`
      throw new ProtocolViolation(
        'window-exceeded',
        `expected at most ${this.#window} bytes ahead of credit, got ${got}`,
      )
    }
    this.#outstanding += bytes
    this.#bytes = bytes
    this.#held = undefined
  }

  /** Keeps the event that is being handed out on the account until the receipt is settled. */
  hold(): Receipt {
    const bytes = this.#bytes
    this.#held ??= new HeldEvent(() => this.#done(bytes))
    return this.#held.hold()
  }

  /** The event has been handed out: unless somebody holds it, it is done with. */
  end(): void {
    const held = this.#held
    this.#held = undefined
    if (!held) return this.#done(this.#bytes)
    held.done()
    if (this.#isUsedUp) this.#schedule()
  }

  /** There is nobody any more to give anything to. */
  stop(): void {
    this.#giving = 'over'
    this.#pause?.cancel()
  }

  get #isUsedUp(): boolean {
    return this.#outstanding >= this.#window
  }

  #done(bytes: number): void {
    this.#doneBytes += bytes
    this.#doneEvents++
    if (this.#doneBytes * 2 >= this.#window) this.#giveBack()
    else if (this.#isUsedUp) this.#schedule()
    else if (this.#pause === undefined && this.#giving !== 'over') this.#pauseNow()
  }

  #pauseNow(): void {
    this.#pause = this.#clock.after(PAUSE, () => {
      this.#pause = undefined
      this.#giveBack()
    })
  }

  #schedule(): void {
    if (this.#giving !== 'idle' || this.#doneBytes === 0) return
    this.#giving = 'scheduled'
    this.#clock.nextTurn(() => {
      if (this.#giving === 'scheduled') this.#giving = 'idle'
      this.#giveBack()
    })
  }

  #giveBack(): void {
    const [bytes, events] = [this.#doneBytes, this.#doneEvents]
    if (bytes === 0 || this.#giving === 'over') return
    this.#outstanding -= bytes
    this.#doneBytes = this.#doneEvents = 0
    this.#give(bytes, events)
  }
}

/** An event that several may hold; it is done with when all of them are, and it has been handed out. */
class HeldEvent implements Receipt {
  readonly #done: () => void
  /** The handing out is one of them. */
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
