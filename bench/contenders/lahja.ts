import { setTimeout } from 'node:timers/promises'
import { defineEvent, defineRequest, Endpoint } from 'lahja'
import { type Contender, MODES, type Mode, type Station } from './contender'
import { versionOf } from './packages'
import { PAYLOADS } from './payload'

export const Sample = defineEvent<unknown>('bench.sample')

/** To each member of a queue. */
const Mark = defineEvent<unknown>('bench.mark')

const QUEUE = { queue: 'bench' } as const

const Echo = defineRequest<unknown, unknown>('bench.echo')

/** Milliseconds: long enough for a process that a busy machine holds up. */
const PATIENCE = 60_000

class LahjaStation implements Station {
  readonly #endpoint: Endpoint
  readonly #mode: Mode

  constructor(endpoint: Endpoint, mode: Mode) {
    this.#endpoint = endpoint
    this.#mode = mode
    endpoint.on('error', (error) => {
      console.error(error)
      process.exit(1)
    })
  }

  async listen(to: readonly string[], handler: (payload: unknown) => void): Promise<void> {
    await this.#endpoint.waitUntilConnectedTo(to)
    const isQueue = this.#mode === 'queue'
    if (isQueue) this.#endpoint.subscribe(Mark, ({ payload }) => handler(payload))
    // Members of a mesh would hear themselves too.
    const options = isQueue ? QUEUE : this.#mode === 'mesh' ? { from: to } : {}
    await this.#endpoint.subscribe(Sample, ({ payload }) => handler(payload), options).ready
  }

  async untilHeardBy(count: number): Promise<void> {
    const listeners = () =>
      this.#endpoint.peers.filter(({ subscriptions, responds }) => subscriptions.length + responds.length > 0)
    while (listeners().length < count) await this.#endpoint.waitUntilEndpointSubscriptionsChange()
  }

  send(payload: unknown): Promise<void> | undefined {
    return this.#endpoint.broadcastNowait(Sample, payload) ? undefined : this.#endpoint.drained()
  }

  async sendToEach(payload: unknown): Promise<void> {
    while (this.#endpoint.queues().some(({ waiting, inHand }) => waiting + inHand > 0)) await setTimeout(1)
    await this.#endpoint.broadcast(Mark, payload)
  }

  async flush(): Promise<void> {
    await this.#endpoint.drained()
  }

  request(payload: unknown): Promise<unknown> {
    return this.#endpoint.request(Echo, payload)
  }

  async respond(to: string, handler: (payload: unknown) => unknown): Promise<void> {
    await this.#endpoint.waitUntilConnectedTo(to)
    await this.#endpoint.respond(Echo, ({ payload }) => handler(payload)).ready
  }

  async close(): Promise<void> {
    await this.#endpoint.close({ timeout: PATIENCE })
  }
}

/** This package, through its public API. */
export const lahja: Contender = {
  name: 'lahja',
  settings: `lahja ${versionOf('lahja')}, endpoint.broadcastNowait() for each event, await drained() where it says so, patience ${PATIENCE / 1000} s`,
  payloads: PAYLOADS,
  modes: MODES,
  async join({ name, directory, mode, isPatient }) {
    const limits = isPatient ? { patience: PATIENCE } : {}
    return new LahjaStation(await Endpoint.start({ name, directory, limits }), mode)
  },
}
