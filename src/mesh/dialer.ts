import { asDirectoryError, exhausted, type LahjaError, ProtocolViolation } from '../model/errors'
import type { Limits } from '../model/limits'
import { asError, codeOf } from '../model/thrown'
import type { Address } from '../platform/address'
import type { Timer } from '../platform/clock'
import type { Connection, DialOutcome, SocketInfo } from '../platform/transport'
import type { World } from '../platform/world'
import { type Attempt, nextAttempt } from './backoff'
import type { DialPermit, DialQueue, Priority } from './dial-queue'
import type { Link } from './link'
import { isHopeless, type LinkEnding } from './link-ending'

export interface DialerContext extends World {
  readonly limits: Limits
  /** Makes a link of a connection and begins its handshake. */
  readonly connected: (connection: Connection, address: Address) => Link
  readonly queue: DialQueue
  /** The address is gone. Final if it is dead or belongs to another peer: it is never dialled again. */
  readonly gone: (isFinal: boolean) => void
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
  /** Whether there has been a link. */
  #wasLinked: boolean
  /** Whether the last handshake has timed out. */
  #wasSilent = false
  #permit: DialPermit | undefined

  constructor(address: Address, context: DialerContext, attempt: Attempt) {
    this.address = address
    this.#context = context
    this.#wasLinked = attempt.wasLinked ?? false
    this.#schedule(attempt)
  }

  /** Failed attempts since the last link that has lasted. */
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
    this.#wasLinked = true
    this.#wasSilent = false
    this.#permit?.release()
  }

  /** Its link has closed, other than by the goodbye of a peer that left. */
  onClosed(ending: LinkEnding, hasLasted: boolean): void {
    if (this.#state.kind !== 'linked') return
    if (hasLasted) {
      this.#failures = 0
      this.#lastFailure = ''
    }
    const willLast = isHopeless(ending)
    if (willLast && ending.kind === 'refused') this.#report(ending.reason, ending.cause)
    if (isFalse(ending)) return this.#end(true)
    this.#wasSilent = ending.kind === 'refused' && ending.reason === 'handshake-timeout'
    this.#retry(willLast || (this.#wasSilent && !this.#wasLinked))
  }

  /** Gives up, and refuses a link that is not up yet. */
  stop(): void {
    const state = this.#state
    this.#state = { kind: 'stopped' }
    this.#permit?.release()
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
    if (willLast) this.#permit?.releaseSlot()
    else this.#permit?.release()
    this.#schedule(nextAttempt(this.#failures, willLast, limits, () => clock.random()))
  }

  #schedule({ delay, failures = 0, isHopeless = false }: Attempt): void {
    this.#failures = failures
    const timer = this.#context.clock.after(delay, () => void this.#dial())
    this.#state = { kind: 'waiting', timer, isHopeless }
  }

  async #dial(): Promise<void> {
    this.#state = { kind: 'dialling' }
    const { transport, debug, connected } = this.#context
    const { name, id } = this.address
    // A failed dial will fail again, for instance because the path is too long to be dialled from here.
    const outcome = await this.#connect().catch((cause: unknown) => ({ kind: 'failed' as const, cause }))
    if (this.#isStopped()) {
      if (outcome.kind === 'connected') outcome.connection.destroy()
      return this.#permit?.release()
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
        return this.#end(true)
      case 'absent':
        return this.#end(false)
      case 'busy':
        return this.#retry(false)
      case 'exhausted': {
        // The same text for all peers, so that one of their reports a second is enough.
        const what = `can't dial the peers in ${transport.location}: ${codeOf(outcome.cause)}`
        this.#retry(false)
        return report('exhausted', exhausted(what, outcome.cause))
      }
      case 'denied':
      case 'failed':
        this.#retry(true)
        return report('dial', outcome.cause)
      default:
        return outcome satisfies never
    }
  }

  /** Dials when it is this address's turn. */
  async #connect(): Promise<DialOutcome> {
    const { transport, debug, queue } = this.#context
    this.#permit?.release()
    const socket = await transport.inspect(this.address)
    if (!socket || this.#isStopped()) return { kind: 'absent' }
    this.#permit = await queue.enter(socket.key, this.#priority(socket))
    if (this.#isStopped()) return { kind: 'absent' }
    debug?.(`${this.address.name}~${this.address.id}: dialling`)
    return transport.dial(this.address)
  }

  #priority({ isForeign }: SocketInfo): Priority {
    if (this.#wasLinked) return 'known'
    if (this.#wasSilent) return 'silent'
    return isForeign ? 'foreign' : 'own'
  }

  #end(isFinal: boolean): void {
    this.#state = { kind: 'stopped' }
    this.#permit?.release()
    this.#context.gone(isFinal)
  }

  /** By a call of `stop` during the dial. */
  #isStopped(): boolean {
    return this.#state.kind === 'stopped'
  }
}

/** Whether the socket turned out to be that of another address. */
function isFalse(ending: LinkEnding): boolean {
  return 'cause' in ending && ending.cause instanceof ProtocolViolation && ending.cause.reason === 'wrong-peer'
}
