import type { Event } from '../../src'

/** A handler that does not end before it is told to. */
export class HeldHandler {
  /** The payloads it has been called with. */
  readonly begun: unknown[] = []
  readonly ended: unknown[] = []
  readonly #held: (() => void)[] = []
  #isFree = false

  readonly handle = async ({ payload }: Event): Promise<unknown> => {
    this.begun.push(payload)
    if (!this.#isFree) await new Promise<void>((resolve) => this.#held.push(resolve))
    this.ended.push(payload)
    return payload
  }

  /** Ends the oldest one that is under way. */
  releaseOne(): void {
    this.#held.shift()?.()
  }

  /** Ends all that is under way; what comes later is not held. */
  release(): void {
    this.#isFree = true
    for (const end of this.#held.splice(0)) end()
  }
}
