import { asDirectoryError, type LahjaError } from '../model/errors'
import type { Limits } from '../model/limits'
import type { Address } from '../platform/address'
import type { Clock, Timer } from '../platform/clock'
import type { Connection, Transport } from '../platform/transport'
import type { Link } from './link'
import { isHopeless, type LinkEnding } from './link-ending'

/** What a dialer needs of the mesh it dials for. */
export interface DialerContext {
  readonly transport: Transport
  readonly clock: Clock
  readonly limits: Limits
  /** Begins a handshake with whoever has answered at the address. */
  readonly shakeHands: (connection: Connection, address: Address) => Link
  /** There is nobody at the address any more. */
  readonly gone: (address: Address) => void
  /** An attempt has failed in a way that another one will not mend. */
  readonly failed: (address: Address, cause: LahjaError) => void
}

type State =
  | { readonly kind: 'waiting'; readonly timer: Timer; readonly hopeless: boolean }
  | { readonly kind: 'dialling' }
  | { readonly kind: 'linked'; readonly link: Link }
  | { readonly kind: 'stopped' }

/**
 * How long to wait before an attempt: full jitter over a span that doubles from attempt to attempt, so that peers that
 * failed together do not try again together.
 */
export function redialDelay(attempt: number, limits: Pick<Limits, 'redialMin' | 'redialMax'>, random: number): number {
  return random * Math.min(limits.redialMax, limits.redialMin * 2 ** attempt)
}

/** When to dial next, and how many attempts that nothing has come of there were before. */
export interface Attempt {
  /** Milliseconds. */
  readonly delay: number
  readonly count?: number
  /** Will it fail like the one before? */
  readonly hopeless?: boolean
}

/** The attempt after a link that the peer had dialled, and that has ended before its time. */
export function attemptAfter(ending: LinkEnding, before: number, limits: Limits, random: () => number): Attempt {
  const count = ending.kind === 'lost' ? 0 : before
  const hopeless = isHopeless(ending)
  return { delay: hopeless ? limits.redialMax : redialDelay(count, limits, random()), count: count + 1, hopeless }
}

/** Dials one address until there is a link or nobody left to link with. */
export class Dialer {
  readonly address: Address
  readonly #context: DialerContext
  #state: State = { kind: 'stopped' }
  #attempt: number
  #lastFailure = ''

  constructor(address: Address, context: DialerContext, { delay, count = 0, hopeless = false }: Attempt) {
    this.address = address
    this.#context = context
    this.#attempt = count
    this.#wait(delay, hopeless)
  }

  /** Attempts so far, since the last link. */
  get count(): number {
    return this.#attempt
  }

  /** The link it has made, from the dial on; its handshake may still fail. */
  get link(): Link | undefined {
    return this.#state.kind === 'linked' ? this.#state.link : undefined
  }

  /** Is there something better to do than to wait for it? */
  get isSettled(): boolean {
    const state = this.#state
    return (
      state.kind === 'stopped' ||
      (state.kind === 'linked' ? state.link.isUp : state.kind === 'waiting' && state.hopeless)
    )
  }

  /** The link is up. */
  succeeded(): void {
    this.#attempt = 0
    this.#lastFailure = ''
  }

  /** The link it had made is closed, and not by a goodbye. */
  closed(ending: LinkEnding): void {
    if (this.#state.kind !== 'linked') return
    const hopeless = isHopeless(ending)
    if (hopeless && ending.kind === 'refused') this.#fail(ending.reason, ending.cause)
    this.#retry(hopeless)
  }

  /** Gives up, together with a link that is not up yet. */
  stop(): void {
    const state = this.#state
    this.#state = { kind: 'stopped' }
    if (state.kind === 'waiting') state.timer.cancel()
    if (state.kind === 'linked' && !state.link.isUp) state.link.refuse('duplicate', 'another link was preferred')
  }

  /** A failure that lasts is reported once. */
  #fail(reason: string, cause: LahjaError): void {
    if (reason === this.#lastFailure) return
    this.#lastFailure = reason
    this.#context.failed(this.address, cause)
  }

  #retry(hopeless: boolean): void {
    const { clock, limits } = this.#context
    const delay = hopeless ? limits.redialMax : redialDelay(this.#attempt++, limits, clock.random())
    this.#wait(delay, hopeless)
  }

  #wait(delay: number, hopeless: boolean): void {
    const timer = this.#context.clock.after(delay, () => void this.#dial())
    this.#state = { kind: 'waiting', timer, hopeless }
  }

  async #dial(): Promise<void> {
    this.#state = { kind: 'dialling' }
    const { transport, shakeHands, gone } = this.#context
    const outcome = await transport.dial(this.address).catch(asFailure)
    if (this.#isStopped()) {
      if (outcome.kind === 'connected') outcome.connection.destroy()
      return
    }
    switch (outcome.kind) {
      case 'connected':
        this.#state = { kind: 'linked', link: shakeHands(outcome.connection, this.address) }
        return
      case 'dead':
        this.#state = { kind: 'stopped' }
        await transport
          .remove(this.address)
          .catch((error) => this.#fail('remove', asDirectoryError(transport.location, error)))
        return gone(this.address)
      case 'absent':
        this.#state = { kind: 'stopped' }
        return gone(this.address)
      case 'busy':
        return this.#retry(false)
      case 'failed':
        this.#retry(true)
        return this.#fail('dial', asDirectoryError(transport.location, outcome.cause))
    }
  }

  /** By a call of `stop` while the dial was under way. */
  #isStopped(): boolean {
    return this.#state.kind === 'stopped'
  }
}

/** What no attempt will mend, such as an address that is too long to be dialled from here. */
interface Failure {
  readonly kind: 'failed'
  readonly cause: unknown
}

function asFailure(cause: unknown): Failure {
  return { kind: 'failed', cause }
}
