import { type Endpoint, type EventDefinition, type LahjaError, ProtocolViolation, type Subscription } from '../../src'
import type { Notice, NoticeKind, Received } from './participant-procedures'

/** What participants send to each other. */
export interface Numbered {
  readonly number: number
  readonly filler?: Uint8Array
}

/** Everything one endpoint has received and emitted, and waits for more of it. */
export class Journal {
  readonly #endpoint: Endpoint
  readonly #received = new Map<string, Received[]>()
  readonly #subscriptions = new Map<string, Subscription>()
  readonly #conditions = new Set<() => void>()
  readonly notices: Notice[] = []
  #receivedEvents = 0

  constructor(endpoint: Endpoint) {
    this.#endpoint = endpoint
    for (const kind of ['joined', 'left', 'lagging', 'recovered', 'unresponsive'] as const) {
      endpoint.on(kind, ({ name }) => this.#note(kind, name))
    }
    endpoint.on('lost', ({ name }, { cause }) => this.#note('lost', name, cause))
    endpoint.on('gap', ({ peer }) => this.#note('gap', peer))
    endpoint.on('error', (error) => this.#note('error', '', error))
  }

  async subscribe(type: EventDefinition<Numbered>): Promise<void> {
    const subscription = this.#endpoint.subscribe(type, ({ origin, payload }) => {
      this.received(type.name).push({ origin, number: payload.number })
      this.#receivedEvents++
      this.#check()
    })
    this.#subscriptions.set(type.name, subscription)
    await subscription.ready
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

  /** Resolves when a condition holds that only an event received or emitted can make true. */
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
    this.#check()
  }

  #check(): void {
    for (const check of [...this.#conditions]) check()
  }
}
