import { type Endpoint, type EventType, type LahjaError, ProtocolViolation, type Subscription } from '../../src'
import { untilReady } from '../support/until-ready'
import { number } from './parse'
import type { Notice, NoticeKind, Received, SubscribeOrder } from './participant-procedures'
import { type Manner, Work } from './work'
import { WorkLog } from './work-log'

/** The payload of all test events and requests. */
export interface Numbered {
  readonly number: number
  readonly filler?: Uint8Array
}

/** The events that one endpoint has received and emitted, with a way to wait for more. */
export class EndpointHistory {
  readonly #endpoint: Endpoint
  readonly #received = new Map<string, Received[]>()
  readonly #work = new Map<string, Work>()
  readonly #subscriptions = new Map<string, Subscription>()
  readonly #conditions = new Set<() => void>()
  readonly notices: Notice[] = []
  #receivedEvents = 0

  constructor(endpoint: Endpoint) {
    this.#endpoint = endpoint
    for (const kind of ['joined', 'lagging', 'recovered', 'unresponsive'] as const) {
      endpoint.on(kind, ({ name }) => this.#note(kind, name))
    }
    endpoint.on('left', ({ name }) => this.#note('left', name))
    endpoint.on('lost', ({ name }, { cause }) => this.#note('lost', name, cause))
    endpoint.on('gap', ({ peer }) => this.#note('gap', peer.name))
    endpoint.on('error', (error) => this.#note('error', '', error))
  }

  /** Keeps received events by event type, and work by the type of the subscription. */
  async subscribe(type: EventType, { manner = 'at-once', logs, ...order }: SubscribeOrder): Promise<void> {
    const work = this.begin(order.type, manner, logs)
    const { from, queue, concurrency, prefetch } = order
    const subscription = this.#endpoint.subscribe(
      type,
      ({ type, origin, payload }) => {
        const number = numberOf(payload)
        this.received(type).push({ origin, number })
        this.#receivedEvents++
        this.check()
        return work.do(number)
      },
      { from, queue, concurrency, prefetch },
    )
    this.#subscriptions.set(order.type, subscription)
    await untilReady(subscription)
  }

  /** Starts to track the handlers of a type. */
  begin(type: string, manner: Manner, logs: string | undefined): Work {
    const work = new Work(manner, logs === undefined ? undefined : new WorkLog(logs), () => this.check())
    this.#work.set(type, work)
    return work
  }

  /** The work of the handlers of a type. */
  work(type: string): Work {
    const known = this.#work.get(type)
    if (known) return known
    throw new TypeError(`expected a type that has handlers, got ${type}`)
  }

  unsubscribe(type: string): void {
    this.#subscriptions.get(type)?.unsubscribe()
  }

  received(type: string): Received[] {
    const known = this.#received.get(type)
    if (known) return known
    const events: Received[] = []
    this.#received.set(type, events)
    return events
  }

  /** Resolves when the condition holds. It is checked at each received or emitted event. */
  until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const check = () => {
        if (!condition()) return
        this.#conditions.delete(check)
        resolve()
      }
      this.#conditions.add(check)
      check()
    })
  }

  #note(kind: NoticeKind, peer: string, error?: LahjaError): void {
    const cause = error instanceof ProtocolViolation ? error.reason : (error?.code ?? '')
    this.notices.push({ kind, peer, cause, receivedBefore: this.#receivedEvents })
    this.check()
  }

  /** Checks all awaited conditions. */
  check(): void {
    for (const check of [...this.#conditions]) check()
  }
}

export function numberOf(payload: unknown): number {
  return number(typeof payload === 'object' && payload !== null && 'number' in payload ? payload.number : undefined)
}
