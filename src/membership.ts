import type { LahjaError, NameInUse } from './errors'
import type { InterestChange } from './interest'
import type { Link } from './link'
import type { MeshEvents } from './mesh'
import type { EndpointEvents } from './notifier'
import { type Peer, peerOf } from './peer'
import { Router } from './router'
import type { WaitOptions, Waits } from './waits'

export interface MembershipContext {
  /** The endpoint's own name. */
  readonly name: string
  readonly waits: Waits
  readonly deliver: (origin: string, type: string, payload: unknown) => void
  readonly notify: <Name extends keyof EndpointEvents>(name: Name, ...args: EndpointEvents[Name]) => void
  readonly report: (error: LahjaError) => void
  readonly nameLost: (error: NameInUse) => void
}

/** Who is on the bus and what they want: what the mesh tells, kept for routing and for those who ask. */
export class Membership implements MeshEvents {
  readonly #context: MembershipContext
  readonly #links = new Set<Link>()
  /** The links that want a type. */
  readonly router = new Router<Link>()
  /** How many times a peer has come or gone. */
  #changes = 0

  constructor(context: MembershipContext) {
    this.#context = context
  }

  get links(): ReadonlySet<Link> {
    return this.#links
  }

  get peers(): Peer[] {
    return [...this.#links].flatMap((link) => peerOf(link) ?? [])
  }

  isConnectedTo(name: string): boolean {
    if (name === this.#context.name) return true
    for (const { peer } of this.#links) if (peer?.name === name) return true
    return false
  }

  waitUntilConnectedTo(names: readonly string[], options: WaitOptions): Promise<void> {
    const isDone = () => names.every((name) => this.isConnectedTo(name))
    return this.#context.waits.until(`waitUntilConnectedTo ${names.join(', ')}`, options, isDone)
  }

  waitUntilConnectionsChange(options: WaitOptions): Promise<void> {
    const before = this.#changes
    return this.#context.waits.until('waitUntilConnectionsChange', options, () => this.#changes !== before)
  }

  joined(link: Link): void {
    this.#links.add(link)
    for (const type of link.interest) this.router.add(type, link)
    this.#changed()
    this.#tell('joined', link)
  }

  left(link: Link): void {
    this.#forget(link)
    this.#tell('left', link)
  }

  lost(link: Link, cause: LahjaError, undelivered: number): void {
    this.#forget(link)
    const peer = peerOf(link)
    if (peer) this.#context.notify('lost', peer, { cause, undelivered })
  }

  abandoned(link: Link): void {
    this.#forget(link)
  }

  interest(link: Link, { kind, types }: InterestChange): void {
    for (const type of types) {
      if (kind === 'subscribe') this.router.add(type, link)
      else this.router.remove(type, link)
    }
  }

  event(link: Link, type: string, payload: unknown): void {
    this.#context.deliver(link.peer?.name ?? '', type, payload)
  }

  gap(link: Link, count: number): void {
    this.#context.notify('gap', { peer: link.peer?.name ?? '', count })
  }

  pace(link: Link, change: 'lagging' | 'recovered' | 'unresponsive'): void {
    this.#tell(change, link)
  }

  error(error: LahjaError): void {
    this.#context.report(error)
  }

  nameLost(error: NameInUse): void {
    this.#context.nameLost(error)
  }

  #forget(link: Link): void {
    this.#links.delete(link)
    for (const type of link.interest) this.router.remove(type, link)
    this.#changed()
  }

  #changed(): void {
    this.#changes++
    this.#context.waits.changed()
  }

  #tell(name: 'joined' | 'left' | 'lagging' | 'recovered' | 'unresponsive', link: Link): void {
    const peer = peerOf(link)
    if (peer) this.#context.notify(name, peer)
  }
}
