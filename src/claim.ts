import type { Address } from './address'
import type { Clock } from './clock'
import { redialDelay } from './dialer'
import type { Ending } from './ending'
import { NameInUse } from './errors'
import { precedes } from './handshake'
import type { Limits } from './limits'
import type { Link } from './link'
import type { Connection, Transport } from './transport'

/** Ends that say nothing of the name: the rival is about to go, or out of room or descriptors just now. */
const NO_ANSWER = ['disconnected', 'closing', 'too-many-handshakes']

/** Where an endpoint stands with its name. */
type Standing = 'claiming' | 'holding' | 'conceded'

export interface ClaimContext {
  readonly self: Address
  readonly transport: Transport
  readonly clock: Clock
  readonly limits: Limits
  /** Begins a handshake with a rival; `closed` hears how it ended. */
  readonly challenge: (connection: Connection, rival: Address, closed: (ending: Ending) => void) => Link
}

/**
 * One name, one holder.
 *
 * Who claims a name publishes its own address first and then challenges every other address of that name. Of two
 * claimants at least one sees the other, since each looks only after it can be seen; the one with the smaller id wins,
 * and the other knows it before the winner does. A holder wins against every claimant, and so does a rival that can be
 * reached but doesn't answer.
 */
export class NameClaim {
  readonly #context: ClaimContext
  #standing: Standing = 'claiming'

  constructor(context: ClaimContext) {
    this.#context = context
  }

  get isHolding(): boolean {
    return this.#standing === 'holding'
  }

  /** The answer to a challenge. Conceding is final: whoever hears it may count on it. */
  answer(challenger: string): 'name-in-use' | 'name-conceded' {
    if (this.#standing === 'claiming' && precedes(challenger, this.#context.self.id)) this.#standing = 'conceded'
    return this.#standing === 'conceded' ? 'name-conceded' : 'name-in-use'
  }

  /** @throws NameInUse if one of the rivals holds the name, or comes before us */
  async settle(addresses: readonly Address[]): Promise<void> {
    const { self } = this.#context
    const rivals = addresses.filter(({ name, id }) => name === self.name && id !== self.id)
    const outcomes = await Promise.all(rivals.map((rival) => this.#contest(rival)))
    const lost = outcomes.includes('lost') || this.#standing === 'conceded'
    if (lost) {
      this.#standing = 'conceded'
      const { location } = this.#context.transport
      throw new NameInUse(`expected a name that no live endpoint in ${location} holds, got '${self.name}'`)
    }
    this.#standing = 'holding'
  }

  async #contest(rival: Address): Promise<'won' | 'lost'> {
    const { transport, clock, limits } = this.#context
    const deadline = clock.now() + limits.handshakeTimeout
    for (let attempt = 0; clock.now() < deadline; attempt++) {
      const outcome = await transport.dial(rival)
      if (outcome.kind === 'absent') return 'won'
      if (outcome.kind === 'dead') {
        await transport.bury(rival)
        return 'won'
      }
      if (outcome.kind === 'connected') {
        const word = await this.#challenge(outcome.connection, rival)
        if (word === 'name-conceded') return 'won'
        if (word !== 'try again') return 'lost'
      }
      const pause = redialDelay(Math.min(attempt, 3), limits, clock.random())
      await new Promise<void>((resolve) => clock.after(pause, resolve))
    }
    return 'lost'
  }

  /** What the rival says. */
  #challenge(connection: Connection, rival: Address): Promise<string> {
    return new Promise((resolve) => {
      this.#context.challenge(connection, rival, (ending) => {
        const word = ending.kind === 'refused' ? ending.reason : 'name-in-use'
        resolve(NO_ANSWER.includes(word) ? 'try again' : word)
      })
    })
  }
}
