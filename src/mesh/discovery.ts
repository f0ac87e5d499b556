import { asDirectoryError, type LahjaError } from '../model/errors'
import type { Limits } from '../model/limits'
import type { Address } from '../platform/address'
import type { Timer } from '../platform/clock'
import type { Listener, Watch } from '../platform/transport'
import type { World } from '../platform/world'

/**
 * Milliseconds over which a watch's hints are gathered into one scan. A burst of newcomers must not make every endpoint
 * scan for each of them: newcomers dial everyone themselves. Only the loss of our own address waits for the scan.
 */
const HINT_DELAY = 200

export interface DiscoveryContext extends World {
  readonly listener: Listener
  readonly limits: Pick<Limits, 'rescanInterval'>
  /** Whether to watch the directory, so that changes are seen before the next scan. */
  readonly watch: boolean
  /** The result of a scan. `wasGone`: our own address was missing until now, so others may not have found it. */
  readonly found: (addresses: readonly Address[], wasGone: boolean) => void
  /** Our own address was missing and is published again; another endpoint may have taken the name meanwhile. */
  readonly republished: (addresses: readonly Address[]) => Promise<void>
  /** A scan failed. Called once for each error in a row. */
  readonly failed: (error: LahjaError) => void
}

/** Scans the directory periodically, and sooner on a hint of the watch, which may miss changes. */
export class Discovery {
  readonly #context: DiscoveryContext
  #watch: Watch | undefined
  #next: { readonly timer: Timer; readonly at: number } | undefined
  #isScanning = false
  #wasHinted = false
  #isStopped = false
  /** Our own address was missing, so the name has to be claimed again. */
  #mustClaim = false
  #lastFailure = ''

  constructor(context: DiscoveryContext) {
    this.#context = context
    this.#startWatch()
    this.#schedule(context.limits.rescanInterval)
  }

  stop(): void {
    this.#isStopped = true
    this.#watch?.stop()
    this.#next?.timer.cancel()
  }

  #startWatch(): void {
    this.#watch?.stop()
    if (this.#context.watch) this.#watch = this.#context.transport.watch(() => this.#schedule(HINT_DELAY))
  }

  /** Makes sure that a scan happens within so many milliseconds. */
  #schedule(delay: number): void {
    const { clock } = this.#context
    const at = clock.now() + delay
    if (this.#isScanning) this.#wasHinted = true
    if (this.#isStopped || this.#isScanning || (this.#next && this.#next.at <= at)) return
    this.#next?.timer.cancel()
    this.#next = { at, timer: clock.after(delay, () => void this.#scan()) }
  }

  async #scan(): Promise<void> {
    this.#next = undefined
    this.#isScanning = true
    this.#wasHinted = false
    try {
      await this.#refresh()
      this.#lastFailure = ''
    } catch (error) {
      this.#report(error)
    }
    this.#isScanning = false
    this.#schedule(this.#wasHinted ? HINT_DELAY : this.#context.limits.rescanInterval)
  }

  async #refresh(): Promise<void> {
    const { transport, listener, found, republished } = this.#context
    const isPublished = await listener.isPublished()
    if (this.#isStopped) return
    if (!isPublished) {
      this.#mustClaim = true
      await transport.open()
      if (this.#isStopped) return
      await listener.republish()
      if (!this.#isStopped) this.#startWatch()
    }
    const addresses = await transport.scan()
    if (this.#isStopped) return
    found(addresses, this.#mustClaim)
    if (!this.#mustClaim) return
    await republished(addresses)
    this.#mustClaim = false
  }

  #report(thrown: unknown): void {
    if (this.#isStopped) return
    const error = asDirectoryError(this.#context.transport.location, thrown)
    if (error.message === this.#lastFailure) return
    this.#lastFailure = error.message
    this.#context.failed(error)
  }
}
