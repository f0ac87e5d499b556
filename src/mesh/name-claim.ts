import { type LahjaError, NameInUse, Unauthenticated } from '../model/errors'
import type { Limits } from '../model/limits'
import type { Address } from '../platform/address'
import { Deadline } from '../platform/deadline'
import type { Connection } from '../platform/transport'
import type { Waits } from '../platform/waits'
import type { World } from '../platform/world'
import { precedes } from './agreement'
import { redialDelay } from './backoff'
import type { Link } from './link'
import type { LinkEnding } from './link-ending'
import type { Secret } from './secret'

/** Stands for a rival that has neither answered nor proved anything. */
const SILENCE = 'silence'

/** Responses that don't settle the claim: the rival is leaving, has gone, or is short of room or descriptors. */
const INCONCLUSIVE = ['disconnected', 'frame-cut-off', 'closing', 'too-many-handshakes', SILENCE]

/** Challenges are tried again until the deadline, so their delays stop growing early. */
const DELAY_DOUBLINGS = 3

type ClaimState = 'claiming' | 'holding' | 'conceded'

const ANSWERS = { claiming: 'name-claimed', holding: 'name-in-use', conceded: 'name-conceded' } as const

export interface NameClaimContext extends World {
  readonly self: Address
  readonly limits: Limits
  /** With a secret, only rivals that prove that they know it count. */
  readonly secret?: Secret | undefined
  readonly waits: Waits
  /** Begins a handshake with a rival. `closed` gets its ending. */
  readonly challenge: (connection: Connection, rival: Address, closed: (link: Link, ending: LinkEnding) => void) => Link
  /** A rival was passed over, as it has not proved that it knows the secret. */
  readonly ignored: (error: LahjaError) => void
}

/** A rival's response: its goodbye's reason. Without a proof that is owed, only an inconclusive one is believed. */
function responseOf(ending: LinkEnding, isProven: boolean): string {
  const response = ending.kind === 'refused' ? ending.reason : 'name-in-use'
  if (isProven || INCONCLUSIVE.includes(response)) return response
  return response === 'handshake-timeout' ? SILENCE : 'unauthenticated'
}

/**
 * Makes sure that a name has one holder.
 *
 * A claimant publishes its own address first, then challenges every other address of the same name. Each claimant looks
 * only after it can be seen, so of any two at least one sees the other. The smaller id wins, and the loser concedes
 * before the winner knows. A holder wins against every claimant, and so does a rival that can be reached but is silent.
 *
 * With a secret, a rival's response counts only with its proof, and its silence only if the address belongs to our own
 * user, who could kill this process anyway. So a peer without the secret can't take the name.
 */
export class NameClaim {
  readonly #context: NameClaimContext
  readonly #challenges = new Set<Link>()
  #state: ClaimState = 'claiming'

  constructor(context: NameClaimContext) {
    this.#context = context
  }

  get isHolding(): boolean {
    return this.#state === 'holding'
  }

  /** Our answer to a challenge. A concession is final, as the challenger relies on it. */
  answer(challenger: string): 'name-in-use' | 'name-claimed' | 'name-conceded' {
    if (this.#state === 'claiming' && precedes(challenger, this.#context.self.id)) this.#state = 'conceded'
    return ANSWERS[this.#state]
  }

  /** Concedes and ends all contests: the endpoint is leaving. */
  stop(): void {
    this.#state = 'conceded'
    this.#context.waits.changed()
    for (const challenge of [...this.#challenges]) challenge.abandon()
  }

  /**
   * Contests the name with every rival among the addresses.
   *
   * @throws NameInUse if one of them holds the name or has the smaller id
   */
  async contest(addresses: readonly Address[]): Promise<void> {
    const { self } = this.#context
    const rivals = addresses.filter(({ name, id }) => name === self.name && id !== self.id)
    await Promise.all(rivals.map((rival) => this.#contestWith(rival)))
    if (this.#hasConceded()) {
      const { location } = this.#context.transport
      const text = `the name '${self.name}' is in use by a live endpoint in ${location}; close it or choose another name`
      throw new NameInUse(text)
    }
    this.#state = 'holding'
  }

  async #contestWith(rival: Address): Promise<void> {
    const { transport, clock, limits, debug, secret, waits } = this.#context
    const deadline = new Deadline(clock, limits.handshakeTimeout)
    for (let attempt = 0; !this.#hasConceded(); attempt++) {
      // The responses so far may be out of date if this process was stopped until the deadline: try once more.
      const isLast = deadline.left === 0
      const outcome = await transport.dial(rival)
      debug?.(`${rival.name}~${rival.id}: dialled to challenge its name: ${outcome.kind}`)
      if (outcome.kind === 'absent') return
      if (outcome.kind === 'dead') return transport.remove(rival)
      const response = outcome.kind === 'connected' ? await this.#challenge(outcome.connection, rival) : 'disconnected'
      switch (this.#judge(response)) {
        case 'won':
          return
        case 'lost':
          return this.#concede()
        case 'unauthenticated':
          return this.#ignore(rival, 'answered without a proof of the secret')
        case 'inconclusive':
          break
      }
      if (isLast || (response === SILENCE && deadline.left === 0)) {
        return secret && outcome.isForeign ? this.#ignore(rival, 'has not answered') : this.#concede()
      }
      const pause = redialDelay(Math.min(attempt, DELAY_DOUBLINGS), limits, clock.random())
      await waits.reached(new Deadline(clock, pause), () => this.#hasConceded())
    }
  }

  /** To a holder, another claim is inconclusive: the claimant gives way once it has challenged the holder itself. */
  #judge(response: string): 'won' | 'lost' | 'inconclusive' | 'unauthenticated' {
    if (response === 'name-conceded') return 'won'
    if (response === 'unauthenticated' && this.#context.secret) return 'unauthenticated'
    if (INCONCLUSIVE.includes(response) || (response === 'name-claimed' && this.isHolding)) return 'inconclusive'
    return 'lost'
  }

  #ignore({ name, id }: Address, what: string): void {
    if (this.#hasConceded()) return
    const text = `ignored the claim of ${name}~${id} to this endpoint's name: it ${what}`
    this.#context.ignored(new Unauthenticated(text))
  }

  /** Takes effect at once, so that no challenger concedes to an endpoint that has lost. */
  #concede(): void {
    this.#state = 'conceded'
  }

  #hasConceded(): boolean {
    return this.#state === 'conceded'
  }

  #challenge(connection: Connection, rival: Address): Promise<string> {
    return new Promise((resolve) => {
      const closed = (link: Link, ending: LinkEnding) => {
        this.#challenges.delete(link)
        resolve(responseOf(ending, link.isProven))
      }
      this.#challenges.add(this.#context.challenge(connection, rival, closed))
    })
  }
}
