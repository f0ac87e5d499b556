import { ConnectionFailed, type LahjaError, NameInUse, Unauthenticated } from '../model/errors'
import type { Limits } from '../model/limits'
import { type Address, precedes } from '../platform/address'
import { Deadline } from '../platform/deadline'
import type { Connection, DialOutcome } from '../platform/transport'
import type { Waits } from '../platform/waits'
import type { World } from '../platform/world'
import { redialDelay } from './backoff'
import { DialQueue } from './dial-queue'
import type { Link } from './link'
import type { LinkEnding } from './link-ending'
import type { Secret } from './secret'

/** Stands for a rival that has neither answered nor proved anything. */
const SILENCE = 'silence'

/** Responses that don't settle the claim: the rival is leaving, has gone, or is short of room or descriptors. */
const INCONCLUSIVE = ['disconnected', 'closing', 'too-many-handshakes', SILENCE]

/** Rivals that are challenged at a time: this many need few descriptors. */
const CONTESTS = 16

/**
 * Milliseconds that a rival has to answer at least, however short `patience` is: of claimants that start at once, which are
 * busy with that, one has to win.
 */
const LEAST_PATIENCE = 250

/** Challenges are tried again until the deadline, so their delays stop growing early. */
const DELAY_DOUBLINGS = 3

/** Silent rivals that a message names. */
const MOST_SHOWN = 3

/** One socket, whose owner may have linked it to several addresses of the name. */
interface Rival {
  readonly key: string
  readonly isForeign: boolean
  readonly addresses: Address[]
}

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

/** A rival's response: its goodbye's reason, and the text with it. */
interface Response {
  readonly reason: string
  readonly text?: string
}

/** Without a proof that is owed, only an inconclusive response is believed. */
function responseOf(ending: LinkEnding, isProven: boolean): Response {
  const reason = ending.kind === 'refused' ? ending.reason : 'name-in-use'
  if (isProven && 'cause' in ending) return { reason, text: ending.cause.message.replace(`${reason}: `, '') }
  if (isProven || INCONCLUSIVE.includes(reason)) return { reason }
  return { reason: reason === 'handshake-timeout' ? SILENCE : 'unauthenticated' }
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
  /** Rivals that may have the name. */
  readonly #unsettled = new Set<Rival>()
  readonly #queue = new DialQueue(CONTESTS)
  #state: ClaimState = 'claiming'
  /** The rival that the name was lost to, and how. */
  #lost: { readonly id: string; readonly how: string } | undefined

  constructor(context: NameClaimContext) {
    this.#context = context
  }

  get isHolding(): boolean {
    return this.#state === 'holding'
  }

  /** Decides on a challenge. A concession is final, as the challenger relies on it. */
  decideOn(challenger: string): 'name-in-use' | 'name-claimed' | 'name-conceded' {
    if (this.#state === 'claiming' && precedes(challenger, this.#context.self.id)) this.#state = 'conceded'
    if (this.#state === 'conceded') this.#lost ??= { id: challenger, how: this.#claimedBy(challenger) }
    return ANSWERS[this.#state]
  }

  /** Concedes and ends all contests: the endpoint is leaving. */
  stop(): void {
    this.#state = 'conceded'
    this.#context.waits.changed()
    for (const challenge of [...this.#challenges]) challenge.abandon()
  }

  /**
   * Contests the name with every rival among the addresses. One that doesn't answer within `patience`, or for as long as
   * the name is waited for if that is longer, is taken for its holder.
   *
   * All others have the handshake timeout, less a part for the links that a start waits for next: the rivals of a holder,
   * which would have to leave the bus, and with a secret those of other users, against which silence wins. With more than
   * `CONTESTS` silent sockets of other users it takes longer, as each gets `patience` at least.
   *
   * @param waitForName how long the name is waited for
   * @throws NameInUse if one of them holds the name or has the smaller id
   * @throws ConnectionFailed if it could not be contested, for want of descriptors
   */
  async contest(addresses: readonly Address[], waitForName?: Deadline): Promise<void> {
    const { limits } = this.#context
    const rivals = await this.#rivalsAmong(addresses)
    const handshake = limits.handshakeTimeout - Math.min(limits.patience, limits.handshakeTimeout / 2)
    const time = this.isHolding ? handshake : Math.max(waitForName?.left ?? 0, this.#patience)
    const crowd = rivals.filter(({ isForeign }) => isForeign).length
    const part = Math.min(handshake, Math.max(limits.patience, (handshake * CONTESTS) / crowd))
    await Promise.all(rivals.map((rival) => this.#contestWith(rival, this.#mayBeIgnored(rival) ? part : time)))
    this.assertNotLost()
    this.#state = 'holding'
  }

  /** @throws NameInUse if the name has gone to a rival */
  assertNotLost(): void {
    if (this.#state !== 'conceded') return
    const { self, transport } = this.#context
    const how = this.#lost?.how ?? 'another endpoint has it'
    const advice = 'close that endpoint, wait for its end with the option waitForName, or choose another name'
    const text = `the name '${self.name}' is in use in ${transport.location}: ${how}; ${advice}`
    throw new NameInUse(text, { holder: this.#lost?.id })
  }

  /** Milliseconds for a rival to answer; with a shorter handshake timeout, its silence shows sooner. */
  get #patience(): number {
    const { patience, handshakeTimeout } = this.#context.limits
    return Math.min(Math.max(patience, LEAST_PATIENCE), handshakeTimeout)
  }

  /** Whether it can't keep the name by its silence. */
  #mayBeIgnored({ isForeign }: Rival): boolean {
    return this.#context.secret !== undefined && isForeign
  }

  /** How the name is lost to another claimant, which may lose it as well to a rival that is silent. */
  #claimedBy(claimant: string): string {
    const silent = [...this.#unsettled].flatMap(({ addresses: [address] }) => {
      return address && !claimant.endsWith(address.id) ? [`${address.name}~${address.id} has not answered`] : []
    })
    return [`${claimant} claims it at the same time`, ...silent.slice(0, MOST_SHOWN)].join(', ')
  }

  async #rivalsAmong(addresses: readonly Address[]): Promise<Rival[]> {
    const { self, transport } = this.#context
    const rivals = new Map<string, Rival>()
    for (const address of addresses) {
      if (address.name !== self.name || address.id === self.id) continue
      const socket = await transport.inspect(address)
      if (!socket) continue
      const rival = rivals.get(socket.key)
      if (rival) rival.addresses.push(address)
      else rivals.set(socket.key, { ...socket, addresses: [address] })
    }
    return [...rivals.values()]
  }

  /** @param timeout milliseconds, from its first turn on, after which it counts as silent */
  async #contestWith(rival: Rival, timeout: number): Promise<void> {
    const { clock, limits, waits } = this.#context
    let deadline: Deadline | undefined
    this.#unsettled.add(rival)
    for (let attempt = 0; !this.#hasConceded(); attempt++) {
      const permit = await this.#queue.enter(rival.key, rival.isForeign ? 'foreign' : 'own')
      deadline ??= new Deadline(clock, timeout)
      const isOver = await this.#attempt(rival, deadline).finally(permit.release)
      if (isOver) return void this.#unsettled.delete(rival)
      const pause = redialDelay(Math.min(attempt, DELAY_DOUBLINGS), limits, clock.random())
      await waits.reached(new Deadline(clock, pause), () => this.#hasConceded())
    }
  }

  /** Challenges a rival once. Returns whether that has settled it. */
  async #attempt(rival: Rival, deadline: Deadline): Promise<boolean> {
    const { transport, debug, clock } = this.#context
    const [address] = rival.addresses
    if (!address || this.#hasConceded()) return true
    // The responses so far may be out of date if this process was stopped until the deadline: try once more.
    const isLast = deadline.left === 0
    const outcome = await transport.dial(address)
    debug?.(`${address.name}~${address.id}: dialled to challenge its name: ${outcome.kind}`)
    if (outcome.kind === 'dead') {
      await Promise.all(rival.addresses.map((dead) => transport.remove(dead)))
      return true
    }
    if (outcome.kind === 'absent') return this.#next(rival)
    const last = this.#mayBeIgnored(rival) ? Number.POSITIVE_INFINITY : this.#patience
    const response = await this.#responseTo(outcome, address, isLast ? new Deadline(clock, last) : deadline)
    switch (this.#judge(response.reason)) {
      case 'won':
        return true
      case 'lost':
        return this.#concede(address, this.#howLost(address, response))
      case 'unauthenticated':
        this.#ignore(address, 'answered without a proof of the secret')
        return this.#next(rival)
      case 'inconclusive':
        break
    }
    if (!isLast && (response.reason !== SILENCE || deadline.left > 0)) return false
    if (outcome.kind === 'exhausted') {
      const { cause } = outcome
      const text = `can't ask ${address.name}~${address.id} whether it holds the name: ${cause.message}; try again later`
      throw new ConnectionFailed(text, { cause })
    }
    if (!this.#mayBeIgnored(rival)) return this.#concede(address, silenceOf(address))
    this.#ignore(address, 'has not answered')
    return true
  }

  /** Another address of the socket may be the right one, if its owner didn't link it. Returns whether there is none. */
  #next(rival: Rival): boolean {
    rival.addresses.shift()
    return rival.addresses.length === 0
  }

  /** To a holder, another claim is inconclusive: the claimant gives way once it has challenged the holder itself. */
  #judge(response: string): 'won' | 'lost' | 'inconclusive' | 'unauthenticated' {
    if (response === 'name-conceded') return 'won'
    if (response === 'unauthenticated' && this.#context.secret) return 'unauthenticated'
    if (INCONCLUSIVE.includes(response) || (response === 'name-claimed' && this.isHolding)) return 'inconclusive'
    return 'lost'
  }

  #howLost({ name, id }: Address, { reason, text }: Response): string | undefined {
    if (reason === 'handshake-timeout') return silenceOf({ name, id })
    return reason === 'name-claimed' ? this.#claimedBy(`${name}~${id}`) : text
  }

  #ignore({ name, id }: Address, what: string): void {
    if (this.#hasConceded()) return
    const text = `ignored the claim of ${name}~${id} to this endpoint's name: it ${what}`
    this.#context.ignored(new Unauthenticated(text))
  }

  /** Takes effect at once, so that no challenger concedes to an endpoint that has lost. */
  #concede({ id, name }: Address, how = `${name}~${id} has it`): true {
    if (!this.#hasConceded()) this.#lost = { id, how }
    this.stop()
    return true
  }

  #hasConceded(): boolean {
    return this.#state === 'conceded'
  }

  /** The response to a challenge, if the dial has connected. */
  async #responseTo(outcome: DialOutcome, rival: Address, deadline: Deadline): Promise<Response> {
    if (outcome.kind !== 'connected') return { reason: 'disconnected' }
    let link: Link | undefined
    const response = new Promise<Response>((resolve) => {
      link = this.#context.challenge(outcome.connection, rival, (closed, ending) => {
        this.#challenges.delete(closed)
        resolve(responseOf(ending, closed.isProven))
      })
      this.#challenges.add(link)
    })
    if (await this.#context.waits.fulfilled(deadline, response)) return response
    link?.abandon()
    return { reason: SILENCE }
  }
}

function silenceOf({ name, id }: Address): string {
  const process = `its process may be stopped or busy, and \`lsof -U | grep ${id}\` shows it`
  return `${name}~${id} does not answer: ${process}`
}
