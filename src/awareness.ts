import type { Channel } from './channel/channel'
import type { EndpointCore } from './endpoint-core'
import { EndpointEmitter } from './endpoint-events'
import { boundaryOf, isWithin } from './model/boundary'
import { type EventType, nameOf, type RequestDefinition, type RequestType, requestNameOf } from './model/definition'
import type { Peer } from './peer'
import type { WaitOptions } from './platform/waits'

/** What can be subscribed to, or responded to. */
type AnyType = EventType | RequestType

export interface AllSubscribedOptions {
  /** Does this endpoint itself have to be subscribed too? Default true. */
  readonly includeSelf?: boolean
}

/** What an endpoint knows of the others on the bus, and how to wait until it is so. */
export abstract class Awareness extends EndpointEmitter {
  /** @internal */
  protected abstract readonly participant: EndpointCore

  /** Everyone this endpoint is linked with. */
  get peers(): readonly Peer[] {
    return this.participant.membership.peers
  }

  /** Everyone this endpoint is linked with, by name, and the types and patterns that each is subscribed or responds to. */
  get connectedEndpointsAndSubscriptions(): ReadonlyMap<string, ReadonlySet<string>> {
    const known = this.peers.map(({ name, subscriptions, responds }) => {
      return [name, new Set([...subscriptions, ...responds])] as const
    })
    return new Map(known)
  }

  /** The types and patterns that this endpoint is subscribed to, and the types it responds to. */
  get subscribedEvents(): ReadonlySet<string> {
    return new Set([...this.participant.interest].map(({ type }) => type))
  }

  /** Is there a link with an endpoint of this name? With itself, always. */
  isConnectedTo(name: string): boolean {
    return this.participant.membership.isConnectedTo(name)
  }

  /** Would the connected endpoint of this name get this endpoint's events, or requests, of the type? */
  isEndpointSubscribedTo(name: string, type: AnyType): boolean {
    const subscribed = this.#subscribed(type)
    return this.#links.some((link) => link.identity.name === name && subscribed.has(link))
  }

  /** Would at least one of the connected endpoints, this one aside, get its events, or requests, of the type? */
  isAnyEndpointSubscribedTo(type: AnyType): boolean {
    const subscribed = this.#subscribed(type)
    return this.#links.some((link) => subscribed.has(link))
  }

  /** Would every connected endpoint, and this one, get its events, or requests, of the type? */
  areAllEndpointsSubscribedTo(type: AnyType, { includeSelf = true }: AllSubscribedOptions = {}): boolean {
    const subscribed = this.#subscribed(type)
    const isSelf = !includeSelf || subscribed.has(this.participant.loopback)
    return isSelf && this.#links.every((link) => subscribed.has(link))
  }

  /**
   * Resolves when there is a link with each of the names.
   *
   * @throws WaitTimeout, AbortError, EndpointClosed
   */
  async waitUntilConnectedTo(names: string | readonly string[], options: WaitOptions = {}): Promise<void> {
    const wanted = typeof names === 'string' ? [names] : names
    const isDone = () => this.participant.membership.isConnectedToAll(wanted)
    await this.participant.waits.until(`waitUntilConnectedTo ${wanted.join(', ')}`, options, isDone)
  }

  /**
   * Resolves when a peer has joined, left or been lost.
   *
   * @throws WaitTimeout, AbortError, EndpointClosed
   */
  async waitUntilConnectionsChange(options: WaitOptions = {}): Promise<void> {
    const { membership, waits } = this.participant
    const before = membership.connectionChanges
    await waits.until('waitUntilConnectionsChange', options, () => membership.connectionChanges !== before)
  }

  /**
   * Resolves when `isEndpointSubscribedTo` holds.
   *
   * @throws WaitTimeout, AbortError, EndpointClosed
   */
  async waitUntilEndpointSubscribedTo(name: string, type: AnyType, options: WaitOptions = {}): Promise<void> {
    const what = `waitUntilEndpointSubscribedTo ${name}`
    await this.participant.waits.until(what, options, () => this.isEndpointSubscribedTo(name, type))
  }

  /**
   * Resolves when `isAnyEndpointSubscribedTo` holds.
   *
   * @throws WaitTimeout, AbortError, EndpointClosed
   */
  async waitUntilAnyEndpointSubscribedTo(type: AnyType, options: WaitOptions = {}): Promise<void> {
    const isDone = () => this.isAnyEndpointSubscribedTo(type)
    await this.participant.waits.until('waitUntilAnyEndpointSubscribedTo', options, isDone)
  }

  /**
   * Resolves when `areAllEndpointsSubscribedTo` holds.
   *
   * @throws WaitTimeout, AbortError, EndpointClosed
   */
  async waitUntilAllEndpointsSubscribedTo(
    type: AnyType,
    options: WaitOptions & AllSubscribedOptions = {},
  ): Promise<void> {
    const isDone = () => this.areAllEndpointsSubscribedTo(type, options)
    await this.participant.waits.until('waitUntilAllEndpointsSubscribedTo', options, isDone)
  }

  /**
   * Resolves when what a connected endpoint is subscribed or responds to has changed, also by its coming or going.
   *
   * @throws WaitTimeout, AbortError, EndpointClosed
   */
  async waitUntilEndpointSubscriptionsChange(options: WaitOptions = {}): Promise<void> {
    const { membership, waits } = this.participant
    const before = membership.interestChanges
    await waits.until('waitUntilEndpointSubscriptionsChange', options, () => membership.interestChanges !== before)
  }

  get #links() {
    return [...this.participant.membership.links]
  }

  #subscribed(type: AnyType): ReadonlySet<Channel> {
    const { routes } = this.participant
    const name = isRequest(type) ? requestNameOf(type) : nameOf(type)
    const responders = isRequest(type) || typeof type === 'string' ? routes.responders(name) : []
    const subscribers = isRequest(type) ? [] : routes.subscribers(name)
    const boundary = boundaryOf(name)
    return new Set(
      [...subscribers, ...responders].filter(
        (channel) => !boundary || channel.isOwn || isWithin(boundary, channel.identity),
      ),
    )
  }
}

function isRequest(type: AnyType): type is RequestDefinition<unknown, unknown> {
  return typeof type === 'object' && type?.kind === 'request'
}
