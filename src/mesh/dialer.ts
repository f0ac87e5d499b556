import { asDirectoryError, asError, type LahjaError } from '../model/errors'
import type { Limits } from '../model/limits'
import type { Address } from '../platform/address'
import type { Timer } from '../platform/clock'
import type { Connection } from '../platform/transport'
import type { World } from '../platform/world'
import { type Attempt, nextAttempt } from './backoff'
import type { Link } from './link'
import { isHopeless, type LinkEnding } from './link-ending'

export interface DialerContext extends World {
  readonly limits: Limits
  /** Makes a link of a connection and begins its handshake. */
  readonly connected: (connection: Connection, address: Address) => Link
  /** The address is dead or has been withdrawn. */
  readonly gone: () => void
  /** An attempt failed in a way that will last. Called once for each such reason in a row. */
  readonly failed: (cause: LahjaError) => void
}

type State =
  | { readonly kind: 'waiting'; readonly timer: Timer; readonly isHopeless: boolean }
  | { readonly kind: 'dialling' }
  | { readonly kind: 'linked'; readonly link: Link }
  | { readonly kind: 'stopped' }

/** Dials one address until there is a link or the address is gone, and again when the link breaks. */
export class Dialer {
  readonly address: Address
  readonly #context: DialerContext
  #state: State = { kind: 'stopped' }
  #failures = 0
  #lastFailure = ''

  constructor(address: Address, context: DialerContext, attempt: Attempt) {
    this.address = address
    this.#context = context
    this.#schedule(attempt)
  }

  /** Failed attempts since the last link. */
  get failures(): number {
    return this.#failures
  }

  /** The link of the last dial that connected; its handshake may still fail. */
  get link(): Link | undefined {
    return this.#state.kind === 'linked' ? this.#state.link : undefined
  }

  /** Whether waiting for it is pointless: its link is up, or none is expected soon. */
  get isSettled(): boolean {
    const state = this.#state
    if (state.kind === 'waiting') return state.isHopeless
    return state.kind === 'linked' ? state.link.isUp : state.kind === 'stopped'
  }

  /** Its link is up. */
  onUp(): void {
    this.#failures = 0
    this.#lastFailure = ''
  }

  /** Its link has closed, other than by the goodbye of a peer that left. */
  onClosed(ending: LinkEnding): void {
    if (this.#state.kind !== 'linked') return
    const willLast = isHopeless(ending)
    if (willLast && ending.kind === 'refused') this.#report(ending.reason, ending.cause)
    this.#retry(willLast)
  }

  /** Gives up, and refuses a link that is not up yet. */
  stop(): void {
    const state = this.#state
    this.#state = { kind: 'stopped' }
    if (state.kind === 'waiting') state.timer.cancel()
    if (state.kind === 'linked' && !state.link.isUp) state.link.refuse('duplicate', 'another link is preferred')
  }

  #report(reason: string, cause: LahjaError): void {
    if (reason === this.#lastFailure) return
    this.#lastFailure = reason
    this.#context.failed(cause)
  }

  #retry(willLast: boolean): void {
    const { clock, limits } = this.#context
    this.#schedule(nextAttempt(this.#failures, willLast, limits, () => clock.random()))
  }

  #schedule({ delay, failures = 0, isHopeless = false }: Attempt): void {
    this.#failures = failures
    const timer = this.#context.clock.after(delay, () => void this.#dial())
    this.#state = { kind: 'waiting', timer, isHopeless }
  }

  async #dial(): Promise<void> {
    this.#state = { kind: 'dialling' }
    const { transport, debug, connected, gone } = this.#context
    const { name, id } = this.address
    debug?.(`${name}~${id}: dialling`)
    // A failed dial will fail again, for instance because the path is too long to be dialled from here.
    const outcome = await transport.dial(this.address).catch((cause: unknown) => ({ kind: 'failed' as const, cause }))
    if (this.#isStopped()) {
      if (outcome.kind === 'connected') outcome.connection.destroy()
      return
    }
    debug?.(`${name}~${id}: ${outcome.kind}${'cause' in outcome ? `: ${asError(outcome.cause).message}` : ''}`)
    const report = (what: string, cause: unknown) => this.#report(what, asDirectoryError(transport.location, cause))
    switch (outcome.kind) {
      case 'connected':
        this.#state = { kind: 'linked', link: connected(outcome.connection, this.address) }
        return
      case 'dead':
        this.#state = { kind: 'stopped' }
        await transport.remove(this.address).catch((cause) => report('bury', cause))
        return gone()
      case 'absent':
        this.#state = { kind: 'stopped' }
        return gone()
      case 'busy':
      case 'exhausted':
        return this.#retry(false)
      case 'failed':
        this.#retry(true)
        return report('dial', outcome.cause)
    }
  }

  /** By a call of `stop` during the dial. */
  #isStopped(): boolean {
    return this.#state.kind === 'stopped'
  }
}
