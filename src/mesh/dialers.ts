import type { LahjaError } from '../model/errors'
import type { Limits } from '../model/limits'
import { type Address, fileNameOf } from '../platform/address'
import type { Connection } from '../platform/transport'
import type { World } from '../platform/world'
import { type Attempt, nextAttempt } from './backoff'
import { DialQueue } from './dial-queue'
import { Dialer } from './dialer'
import type { Link } from './link'
import { isHopeless, type LinkEnding } from './link-ending'

export interface DialersContext extends World {
  readonly limits: Limits
  /** Makes a link of a connection and begins its handshake. */
  readonly connected: (connection: Connection, address: Address) => Link
  /** Whether an address needs no dial for now, as it has a link or is our own. */
  readonly isTaken: (address: Address) => boolean
  /** An attempt failed in a way that will last. Called once for each such reason in a row. */
  readonly failed: (cause: LahjaError) => void
  /** An address may have become settled. */
  readonly changed: () => void
}

/** The dialers of all addresses that we dial. */
export class Dialers {
  readonly #context: DialersContext
  readonly #queue: DialQueue
  /** By file name, as anyone who can write to the directory can publish the id of another endpoint under a false name. */
  readonly #byFile = new Map<string, Dialer>()
  readonly #byLink = new WeakMap<Link, Dialer>()
  /** File names of peers that have left, and of dead and false addresses, as long as they are found: never dialled again. */
  readonly #gone = new Set<string>()
  /** Failed attempts of the dialer that a peer's dial has replaced; they count again unless its link lasts. */
  readonly #failures = new WeakMap<Link, number>()
  /** When each link came up. */
  readonly #upAt = new WeakMap<Link, number>()
  #isStopped = false

  constructor(context: DialersContext) {
    this.#context = context
    this.#queue = new DialQueue(context.limits.pendingHandshakes)
  }

  /** Dials all addresses that are neither taken nor dialled nor gone. */
  dial(addresses: readonly Address[], attempt: () => Attempt): void {
    for (const address of addresses) {
      const file = fileNameOf(address)
      if (this.#isStopped || this.#gone.has(file) || this.#byFile.has(file) || this.#context.isTaken(address)) continue
      this.#byFile.set(file, this.#dialerOf(address, file, attempt()))
    }
  }

  #dialerOf(address: Address, file: string, attempt: Attempt): Dialer {
    const { connected, failed, changed } = this.#context
    const dialer: Dialer = new Dialer(
      address,
      {
        ...this.#context,
        queue: this.#queue,
        connected: (connection, expected) => {
          const link = connected(connection, expected)
          this.#byLink.set(link, dialer)
          return link
        },
        gone: (isFinal) => {
          if (this.#byFile.get(file) !== dialer) return
          this.#byFile.delete(file)
          if (isFinal) this.#gone.add(file)
          changed()
        },
        failed: (cause) => {
          failed(cause)
          changed()
        },
      },
      attempt,
    )
    return dialer
  }

  /** Forgets which addresses are gone, except those that are still found. */
  forgetGone(found: readonly Address[]): void {
    const files = new Set(found.map(fileNameOf))
    for (const file of this.#gone) if (!files.has(file)) this.#gone.delete(file)
  }

  /** Whether waiting for the dial of an address is pointless; undefined if it is not dialled. */
  isSettled(address: Address): boolean | undefined {
    return this.#byFile.get(fileNameOf(address))?.isSettled
  }

  /** Whether the last dial of an address has connected; its handshake may still fail. */
  hasConnected(address: Address): boolean {
    return this.#byFile.get(fileNameOf(address))?.link !== undefined
  }

  /**
   * A link that the peer has dialled takes the place of our dial.
   *
   * @returns the dialer, which is to be stopped when the link has been accepted: not before, so that there is no moment
   *   at which the peer has neither a link nor a dialer
   */
  replace(peer: Address, link: Link): Dialer | undefined {
    const file = fileNameOf(peer)
    const dialer = this.#byFile.get(file)
    if (!dialer) return undefined
    this.#byFile.delete(file)
    this.#failures.set(link, dialer.failures)
    return dialer
  }

  onUp(link: Link): void {
    this.#upAt.set(link, this.#context.clock.now())
    this.#byLink.get(link)?.onUp()
  }

  /** Dials the peer of a closed link again, unless it has left or was never accepted. */
  onClosed(link: Link, ending: LinkEnding, wasAccepted: boolean): void {
    const last = this.#byLink.get(link)
    const dialer = last?.link === link ? last : undefined
    if (ending.kind === 'left') this.#gone.add(fileNameOf(link.identity))
    if (ending.kind === 'left' && dialer) {
      dialer.stop()
      this.#byFile.delete(fileNameOf(dialer.address))
    } else if (dialer) dialer.onClosed(ending, this.#hasLasted(link))
    else if (wasAccepted && 'cause' in ending) this.dial([link.identity], () => this.#attemptAfter(link, ending))
  }

  /** The first attempt after a link that the peer had dialled. */
  #attemptAfter(link: Link, ending: LinkEnding): Attempt {
    const { clock, limits } = this.#context
    const failures = this.#hasLasted(link) ? 0 : (this.#failures.get(link) ?? 0)
    const attempt = nextAttempt(failures, isHopeless(ending), limits, () => clock.random())
    return { ...attempt, wasLinked: ending.kind === 'lost' }
  }

  /** Whether a link was up for longer than any delay of a redial. One that breaks sooner counts as a failed attempt. */
  #hasLasted(link: Link): boolean {
    const { clock, limits } = this.#context
    return clock.now() - (this.#upAt.get(link) ?? Number.POSITIVE_INFINITY) >= limits.redialMax
  }

  /** Dials nobody any more. */
  stop(): void {
    this.#isStopped = true
    for (const dialer of this.#byFile.values()) dialer.stop()
    this.#byFile.clear()
  }
}
