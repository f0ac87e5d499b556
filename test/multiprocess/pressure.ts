import { setTimeout } from 'node:timers/promises'
import { CloseTimeout, type Endpoint, type Event, type EventType } from '../../src'
import { untilReady } from '../support/until-ready'
import type { EndpointHistory } from './endpoint-history'
import { numberOf } from './endpoint-history'
import type { Reading, Standing, Undelivered } from './pressure-procedures'
import { Tally } from './tally'

/** Reads events of one endpoint at a given speed, and reports the state of its peers. */
export class Pressure {
  readonly #endpoint: Endpoint
  readonly #history: EndpointHistory
  readonly #tallies = new Map<string, Tally>()

  constructor(endpoint: Endpoint, history: EndpointHistory) {
    this.#endpoint = endpoint
    this.#history = history
    endpoint.on('gap', ({ count }) => {
      for (const tally of this.#tallies.values()) tally.noteGap(count)
    })
  }

  async read(type: EventType, reading: Reading): Promise<void> {
    const tally = new Tally(() => this.#history.check())
    this.#tallies.set(reading.type, tally)
    if (!reading.streams) {
      const handle = (event: Event) => this.#take(event, reading, tally)
      return untilReady(this.#endpoint.subscribe(type, handle))
    }
    const stream = this.#endpoint.stream(type)
    const readAll = async () => {
      for await (const event of stream) await this.#take(event, reading, tally)
    }
    void readAll()
    await untilReady(stream)
  }

  tally(type: string): Tally {
    const known = this.#tallies.get(type)
    if (known) return known
    throw new TypeError(`expected a type that is read, got ${type}`)
  }

  untilRead(type: string, number: number): Promise<void> {
    const tally = this.tally(type)
    return this.#history.until(() => tally.latest === number)
  }

  get standings(): Standing[] {
    return this.#endpoint.peers.map(({ name, queuedBytes, droppedEvents }) => ({ name, queuedBytes, droppedEvents }))
  }

  async closeWithin(timeout: number): Promise<Undelivered[]> {
    try {
      await this.#endpoint.close({ timeout })
    } catch (error) {
      if (!(error instanceof CloseTimeout)) throw error
      return [...error.undelivered].map(([name, events]) => ({ name, events }))
    }
    return []
  }

  #take({ payload, origin }: Event, { takes, asks }: Reading, tally: Tally): Promise<void> | undefined {
    if (takes === undefined && asks === undefined) return void tally.note(payload)
    return this.#work(numberOf(payload), origin, takes, asks).then(() => tally.note(payload))
  }

  async #work(number: number, origin: string, takes: number | undefined, asks: string | undefined): Promise<void> {
    if (takes !== undefined) await setTimeout(takes)
    if (asks !== undefined) await this.#endpoint.request(asks, { number }, { to: origin })
  }
}
