import type { Channel } from './channel/channel'
import type { EndpointEvents } from './endpoint-events'
import type { InterestChange } from './mesh/interest-exchange'
import type { Link } from './mesh/link'
import type { LostEnding } from './mesh/link-ending'
import type { MeshEvents } from './mesh/mesh'
import type { Session } from './mesh/session'
import { boundaryOf, isWithin } from './model/boundary'
import { BoundaryCrossed, type LahjaError, type NameInUse } from './model/errors'
import { isMember } from './model/interest'
import { type Peer, peerOf } from './peer'
import type { Waits } from './platform/waits'
import type { Ingress } from './routing/ingress'
import type { Routes } from './routing/routes'
import type { ChannelMessage } from './wire/message'

/** What peers say to the endpoint's subscriptions and requests. */
export interface Receiver {
  event(channel: Channel, type: string, payload: unknown): void
  message(channel: Channel, message: ChannelMessage): void
  /** Somebody wants something new. */
  wanted(): void
  /** The other end has used up its patience: what others can have need not wait for it. */
  lagging(channel: Channel): void
  /** The peer has left queues: what waits for it and isn't wanted any more can go to other members. */
  unwanted(link: Session): void
  /** The link is closed. Returns what became of what the peer was given. */
  ended(link: Link): Remains
}

/** What became of what a peer was given, once it is gone. */
export interface Remains {
  /** Events of queues that hadn't left for the peer, and that other members have now. */
  readonly passedOn: number
  /** Events of queues that the peer had been given and hadn't reported as handled. */
  readonly unfinished: number
}

export interface MembershipContext {
  /** The endpoint's own name. */
  readonly name: string
  readonly gate: Ingress
  readonly routes: Routes<Channel>
  readonly waits: Waits
  readonly receiver: Receiver
  readonly notify: <Name extends keyof EndpointEvents>(name: Name, ...args: EndpointEvents[Name]) => void
  readonly report: (error: LahjaError) => void
  readonly nameLost: (error: NameInUse) => void
}

/** Who is on the bus and what they want: what the mesh tells, kept for routing and for those who ask. */
export class Membership implements MeshEvents {
  readonly #context: MembershipContext
  readonly #links = new Set<Link>()
  /** How many times a peer has come or gone. */
  #connectionChanges = 0
  /** How many times what peers want has changed. */
  #interestChanges = 0

  constructor(context: MembershipContext) {
    this.#context = context
  }

  get links(): ReadonlySet<Link> {
    return this.#links
  }

  get peers(): Peer[] {
    return [...this.#links].flatMap((link) => peerOf(link) ?? [])
  }

  get connectionChanges(): number {
    return this.#connectionChanges
  }

  get interestChanges(): number {
    return this.#interestChanges
  }

  isConnectedTo(name: string): boolean {
    if (name === this.#context.name) return true
    for (const { identity } of this.#links) if (identity.name === name) return true
    return false
  }

  isConnectedToAll(names: readonly string[]): boolean {
    const connected = new Set([this.#context.name])
    for (const { identity } of this.#links) connected.add(identity.name)
    return names.every((name) => connected.has(name))
  }

  joined(link: Link): void {
    this.#links.add(link)
    for (const interest of link.interest) {
      this.#context.routes.add(link, interest)
      this.#interestChanges++
    }
    this.#changed()
    this.#context.receiver.wanted()
    this.#tell('joined', link)
  }

  left(link: Link): void {
    this.#forget(link)
    const { unfinished } = this.#context.receiver.ended(link)
    const peer = peerOf(link)
    if (peer) this.#context.notify('left', peer, { unfinished })
  }

  lost(link: Link, { cause, undelivered, unconfirmed }: LostEnding): void {
    this.#forget(link)
    const { passedOn, unfinished } = this.#context.receiver.ended(link)
    const peer = peerOf(link)
    if (peer)
      this.#context.notify('lost', peer, { cause, undelivered: undelivered - passedOn, unconfirmed, unfinished })
  }

  abandoned(link: Link): void {
    this.#forget(link)
    this.#context.receiver.ended(link)
  }

  interest(link: Session, { kind, interests }: InterestChange): void {
    const { routes, receiver } = this.#context
    for (const interest of interests) {
      if (kind === 'subscribe') routes.add(link, interest)
      else routes.remove(link, interest)
    }
    if (kind === 'subscribe') receiver.wanted()
    else if (interests.some(isMember)) receiver.unwanted(link)
    if (interests.length === 0) return
    this.#interestChanges++
    this.#context.waits.changed()
    this.#tell('subscriptionsChanged', link)
  }

  event(link: Session, type: string, payload: unknown): void {
    const refusal = this.#context.gate.refusal(type)
    if (refusal) this.#refuse(link, `event ${type}`, refusal)
    else this.#context.receiver.event(link, type, payload)
  }

  message(link: Session, message: ChannelMessage): void {
    if (message.kind === 'return' && !canHave(link, message.type)) {
      return this.#refuse(link, `return of ${message.type}`, `the boundary of ${message.type} has kept it here`)
    }
    const isFromOutside = message.kind === 'assign' || message.kind === 'request'
    const refusal = isFromOutside ? this.#context.gate.refusal(message.type) : undefined
    if (!isFromOutside || !refusal) return this.#context.receiver.message(link, message)
    this.#refuse(link, `${message.kind === 'assign' ? 'event' : 'request'} ${message.type}`, refusal)
    if (message.kind === 'assign') link.sendControl({ kind: 'settle', count: 1 })
    else link.sendControl({ kind: 'decline', id: message.id })
  }

  gap(link: Session, count: number): void {
    this.#context.notify('gap', { peer: link.identity.name, count })
  }

  pace(link: Session, change: 'lagging' | 'recovered' | 'unresponsive'): void {
    this.#tell(change, link)
    if (change === 'lagging') this.#context.receiver.lagging(link)
  }

  error(error: LahjaError): void {
    this.#context.report(error)
  }

  nameLost(error: NameInUse): void {
    this.#context.nameLost(error)
  }

  #refuse({ identity }: Session, what: string, refusal: string): void {
    this.#context.report(new BoundaryCrossed(`expected no ${what} from ${identity.name}: ${refusal}`))
  }

  #forget(link: Link): void {
    this.#links.delete(link)
    for (const _ of link.interest) this.#interestChanges++
    this.#context.routes.forget(link)
    this.#changed()
  }

  #changed(): void {
    this.#connectionChanges++
    this.#context.waits.changed()
  }

  #tell(name: 'joined' | 'lagging' | 'recovered' | 'unresponsive' | 'subscriptionsChanged', link: Session): void {
    const peer = peerOf(link)
    if (peer) this.#context.notify(name, peer)
  }
}

/** Could the peer have been given an event of this type? */
function canHave({ identity }: Session, type: string): boolean {
  const boundary = boundaryOf(type)
  return boundary === undefined || isWithin(boundary, identity)
}
