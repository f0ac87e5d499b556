import { type LahjaError, NameInUse, Unauthenticated } from '../model/errors'
import type { Limits } from '../model/limits'
import type { Address } from '../platform/address'
import type { Clock } from '../platform/clock'
import type { Connection, Transport } from '../platform/transport'
import { redialDelay } from './dialer'
import { precedes } from './handshake'
import type { Link } from './link'
import type { LinkEnding } from './link-ending'

/** What a rival has said that has proved nothing, and never answered either. */
const SILENCE = 'silence'

/** Ends that say nothing of the name: the rival is about to go or gone, or out of room or descriptors just now. */
const NO_ANSWER = ['disconnected', 'frame-cut-off', 'closing', 'too-many-handshakes', SILENCE]

/** Where an endpoint stands with its name. */
type Standing = 'claiming' | 'holding' | 'conceded'

const ANSWERS = { claiming: 'name-claimed', holding: 'name-in-use', conceded: 'name-conceded' } as const

export interface ClaimContext {
  readonly self: Address
  readonly transport: Transport
  readonly clock: Clock
  readonly limits: Limits
  /** Does the word of a rival count only if it proves that it knows the secret? */
  readonly hasSecret: boolean
  /** Begins a handshake with a rival; `closed` hears how it ended, and whether the rival's word counts. */
  readonly challenge: (
    connection: Connection,
    rival: Address,
    closed: (ending: LinkEnding, isProven: boolean) => void,
  ) => Link
  /** A rival is none, since it doesn't know the secret. */
  readonly ignored: (error: LahjaError) => void
}

/** What a rival has said. What it says without the proof that it owes is a stranger's, except that it is just now busy. */
function wordOf(ending: LinkEnding, isProven: boolean): string {
  const word = ending.kind === 'refused' ? ending.reason : 'name-in-use'
  if (isProven || NO_ANSWER.includes(word)) return word
  return word === 'handshake-timeout' ? SILENCE : 'unauthenticated'
}

/**
 * One name, one holder.
 *
 * Who claims a name publishes its own address first and then challenges every other address of that name. Of two
 * claimants at least one sees the other, since each looks only after it can be seen; the one with the smaller id wins,
 * and the other knows it before the winner does. A holder wins against every claimant, and so does a rival that can be
 * reached but doesn't answer.
 *
 * Where there is a secret, nobody who doesn't know it can take the name away: only what a rival says with its proof
 * counts, and silence only where the address belongs to our own user, who could end us anyway.
 */
export class NameClaim {
  readonly #context: ClaimContext
  readonly #running = new Set<() => void>()
  #standing: Standing = 'claiming'

  constructor(context: ClaimContext) {
    this.#context = context
  }

  get isHolding(): boolean {
    return this.#standing === 'holding'
  }

  /** The answer to a challenge. Conceding is final: whoever hears it may count on it. */
  answer(challenger: string): 'name-in-use' | 'name-claimed' | 'name-conceded' {
    if (this.#standing === 'claiming' && precedes(challenger, this.#context.self.id)) this.#standing = 'conceded'
    return ANSWERS[this.#standing]
  }

  /** Ends all contests: the endpoint is leaving. */
  stop(): void {
    this.#standing = 'conceded'
    for (const end of [...this.#running]) end()
  }

  /** @throws NameInUse if one of the rivals holds the name, or comes before us */
  async settle(addresses: readonly Address[]): Promise<void> {
    const { self } = this.#context
    const rivals = addresses.filter(({ name, id }) => name === self.name && id !== self.id)
    await Promise.all(rivals.map((rival) => this.#contest(rival)))
    if (this.#hasConceded()) {
      const { location } = this.#context.transport
      throw new NameInUse(`expected a name that no live endpoint in ${location} holds, got '${self.name}'`)
    }
    this.#standing = 'holding'
  }

  async #contest(rival: Address): Promise<void> {
    const { transport, clock, limits, hasSecret } = this.#context
    const deadline = clock.now() + limits.handshakeTimeout
    for (let attempt = 0; !this.#hasConceded(); attempt++) {
      // What was said until the deadline may be out of date, if this process was stopped meanwhile: it looks once more.
      const isLast = clock.now() >= deadline
      const outcome = await transport.dial(rival)
      if (outcome.kind === 'absent') return
      if (outcome.kind === 'dead') return transport.remove(rival)
      const word = outcome.kind === 'connected' ? await this.#challenge(outcome.connection, rival) : 'disconnected'
      const verdict = this.#verdictOn(word)
      if (verdict === 'won') return
      if (verdict === 'lost') return this.#concede()
      if (verdict === 'none of us') return this.#ignore(rival, 'an answer without one')
      if (isLast || (word === SILENCE && clock.now() >= deadline)) {
        return hasSecret && outcome.isForeign ? this.#ignore(rival, 'no answer') : this.#concede()
      }
      await this.#pause(redialDelay(Math.min(attempt, 3), limits, clock.random()))
    }
  }

  /** A rival that only claims gives way to a holder, as soon as it hears of it from its own challenge. */
  #verdictOn(word: string): 'won' | 'lost' | 'try again' | 'none of us' {
    if (word === 'name-conceded') return 'won'
    if (word === 'unauthenticated' && this.#context.hasSecret) return 'none of us'
    if (NO_ANSWER.includes(word) || (word === 'name-claimed' && this.isHolding)) return 'try again'
    return 'lost'
  }

  #ignore({ name, id }: Address, got: string): void {
    if (this.#hasConceded()) return
    this.#context.ignored(new Unauthenticated(`expected ${name}~${id} to prove that it knows the secret, got ${got}`))
  }

  /** Known at once, so that nobody gives way to one who has lost. */
  #concede(): void {
    this.#standing = 'conceded'
  }

  #hasConceded(): boolean {
    return this.#standing === 'conceded'
  }

  #challenge(connection: Connection, rival: Address): Promise<string> {
    return this.#until((resolve) => {
      const link = this.#context.challenge(connection, rival, (ending, isProven) => {
        resolve(wordOf(ending, isProven))
      })
      return () => link.abandon()
    }, 'closing')
  }

  #pause(milliseconds: number): Promise<string> {
    return this.#until((resolve) => {
      const timer = this.#context.clock.after(milliseconds, () => resolve('over'))
      return () => timer.cancel()
    }, 'over')
  }

  /** Something under way that `stop` ends. */
  #until(begin: (resolve: (word: string) => void) => () => void, stopped: string): Promise<string> {
    return new Promise((resolve) => {
      const finish = (word: string) => {
        this.#running.delete(end)
        resolve(word)
      }
      const end = () => {
        finish(stopped)
        cancel()
      }
      this.#running.add(end)
      const cancel = begin(finish)
    })
  }
}
