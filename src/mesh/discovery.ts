import { asDirectoryError, type LahjaError } from '../model/errors'
import type { Address } from '../platform/address'
import type { Clock, Timer } from '../platform/clock'
import type { Listener, Transport, Watch } from '../platform/transport'

/**
 * Milliseconds in which hints of a change become one scan. Where many come they must not have everyone scan for each of
 * them: they dial everyone by themselves. Only an own address that has gone waits for it.
 */
const HINT_DELAY = 200

export interface DiscoveryContext {
  readonly transport: Transport
  readonly clock: Clock
  readonly listener: Listener
  /** Milliseconds between two scans. */
  readonly rescan: number
  /** Watch the bus, so that changes are seen before the next scan? */
  readonly watch: boolean
  /** Who is there; `wasGone` if the own address was not there until now, so that they may have looked for it in vain. */
  readonly found: (addresses: readonly Address[], wasGone: boolean) => void
  /** The own address was gone and is published again; others may have taken the name meanwhile. */
  readonly republished: (addresses: readonly Address[]) => Promise<void>
  readonly failed: (error: LahjaError) => void
}

/** Keeps looking who is there. The periodic scan is the truth; a watch only makes it come sooner. */
export class Discovery {
  readonly #context: DiscoveryContext
  #watch: Watch | undefined
  #next: { readonly timer: Timer; readonly at: number } | undefined
  #scanning = false
  #hintedMeanwhile = false
  #stopped = false
  /** The own address was gone, so the name is to be claimed again. */
  #mustClaim = false
  #lastFailure = ''

  constructor(context: DiscoveryContext) {
    this.#context = context
    this.#startWatch()
    this.#plan(context.rescan)
  }

  stop(): void {
    this.#stopped = true
    this.#watch?.stop()
    this.#next?.timer.cancel()
  }

  #startWatch(): void {
    this.#watch?.stop()
    if (this.#context.watch) this.#watch = this.#context.transport.watch(() => this.#plan(HINT_DELAY))
  }

  /** The next scan, in `delay` milliseconds at the latest. */
  #plan(delay: number): void {
    const { clock } = this.#context
    const at = clock.now() + delay
    if (this.#scanning) this.#hintedMeanwhile = true
    if (this.#stopped || this.#scanning || (this.#next && this.#next.at <= at)) return
    this.#next?.timer.cancel()
    this.#next = { at, timer: clock.after(delay, () => void this.#scan()) }
  }

  async #scan(): Promise<void> {
    this.#next = undefined
    this.#scanning = true
    this.#hintedMeanwhile = false
    try {
      await this.#look()
      this.#lastFailure = ''
    } catch (error) {
      this.#report(error)
    }
    this.#scanning = false
    this.#plan(this.#hintedMeanwhile ? HINT_DELAY : this.#context.rescan)
  }

  async #look(): Promise<void> {
    const { transport, listener, found, republished } = this.#context
    const isPublished = await listener.isPublished()
    if (this.#stopped) return
    if (!isPublished) {
      this.#mustClaim = true
      await transport.open()
      if (this.#stopped) return
      await listener.republish()
      if (!this.#stopped) this.#startWatch()
    }
    const addresses = await transport.scan()
    if (this.#stopped) return
    found(addresses, this.#mustClaim)
    if (!this.#mustClaim) return
    await republished(addresses)
    this.#mustClaim = false
  }

  /** A failure that lasts is reported once. */
  #report(thrown: unknown): void {
    if (this.#stopped) return
    const error = asDirectoryError(this.#context.transport.location, thrown)
    if (error.message === this.#lastFailure) return
    this.#lastFailure = error.message
    this.#context.failed(error)
  }
}
