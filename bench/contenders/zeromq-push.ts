import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { type MessageCodec, messageCodec } from './codec'
import type { Contender, Seat, Station } from './contender'
import { loadPeer, missing, peerVersion } from './packages'
import { PAYLOADS } from './payload'
import { COPIED_BYTES, HIGH_WATER_MARK } from './zeromq'

/** The part of the package that is used. */
interface Zeromq {
  readonly version: string
  readonly Push: new (options: object) => Push
  readonly Pull: new (options: object) => Pull
}

interface Push {
  connect(address: string): void
  send(message: Buffer): Promise<void>
  close(): void
}

interface Pull extends AsyncIterable<readonly Buffer[]> {
  bind(address: string): Promise<void>
  close(): void
}

/** Loaded only when it is used, as it may not be installed. */
const load = () => loadPeer<Zeromq>('zeromq', 'version', 'Push', 'Pull')

/** Ends the name of a socket that takes messages. */
const PULL = '.pull'

/** Milliseconds between two looks for sockets. */
const LOOK_AGAIN = 10

/** A socket for each consumer: one for all of them would deal messages out. */
class ZeromqPushStation implements Station {
  readonly #seat: Seat
  readonly #zeromq = load()
  readonly #codec: MessageCodec
  readonly #pushes: Push[] = []
  readonly #pulls: Pull[] = []

  constructor(seat: Seat) {
    this.#seat = seat
    this.#codec = messageCodec(seat.payload, COPIED_BYTES)
  }

  async listen(_to: readonly string[], handler: (payload: unknown) => void): Promise<void> {
    const pull = new this.#zeromq.Pull({ receiveHighWaterMark: HIGH_WATER_MARK, linger: 0 })
    this.#pulls.push(pull)
    await pull.bind(`ipc://${join(this.#seat.directory, this.#seat.name)}${PULL}`)
    void this.#hear(pull, handler)
  }

  async untilHeardBy(count: number): Promise<void> {
    const pulls = async () => (await readdir(this.#seat.directory)).filter((name) => name.endsWith(PULL))
    while ((await pulls()).length < count) await setTimeout(LOOK_AGAIN)
    for (const name of await pulls()) {
      const push = new this.#zeromq.Push({ sendHighWaterMark: HIGH_WATER_MARK, linger: 0 })
      push.connect(`ipc://${join(this.#seat.directory, name)}`)
      this.#pushes.push(push)
    }
  }

  send(payload: unknown): Promise<unknown> {
    const message = this.#codec.encode(payload)
    const [push] = this.#pushes
    if (push && this.#pushes.length === 1) return push.send(message)
    return Promise.all(this.#pushes.map((each) => each.send(message)))
  }

  async flush(): Promise<void> {}

  async close(): Promise<void> {
    for (const socket of [...this.#pushes, ...this.#pulls]) socket.close()
  }

  async #hear(pull: Pull, handler: (payload: unknown) => void): Promise<void> {
    for await (const [message] of pull) {
      if (message) handler(this.#codec.decode(message))
    }
  }
}

export const zeromqPush: Contender = {
  name: 'zeromq-push',
  payloads: PAYLOADS,
  modes: ['broadcast', 'latency'],
  get settings() {
    return (
      `zeromq ${peerVersion('zeromq')} (libzmq ${load().version}), PUSH and PULL over ipc://, a pair for each consumer, ` +
      `high-water marks of ${HIGH_WATER_MARK} messages, await send() as it requires`
    )
  },
  missing: () => missing(['zeromq']),
  join: async (seat) => new ZeromqPushStation(seat),
}
