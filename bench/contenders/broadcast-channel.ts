import { setTimeout } from 'node:timers/promises'
import type { Contender, Seat, Station } from './contender'
import { loadPeer, missing, peerVersion } from './packages'

/** The part of the package that is used. */
interface Package {
  readonly BroadcastChannel: new (name: string, options: object) => Channel
}

interface Channel {
  onmessage: (message: unknown) => void
  postMessage(message: unknown): Promise<void>
  close(): Promise<void>
}

/** Milliseconds until a listener announces itself again. */
const ANNOUNCE_AGAIN = 50

/** An array around each payload tells it from the names of listeners. */
class BroadcastChannelStation implements Station {
  readonly #seat: Seat
  readonly #channel: Channel
  readonly #listeners = new Set<unknown>()
  #isClosed = false

  constructor(seat: Seat) {
    this.#seat = seat
    const { BroadcastChannel } = loadPeer<Package>('broadcast-channel', 'BroadcastChannel')
    this.#channel = new BroadcastChannel(seat.directory, { type: 'node', node: { useFastPath: false } })
    this.#channel.onmessage = (message) => this.#listeners.add(message)
  }

  async listen(_to: readonly string[], handler: (payload: unknown) => void): Promise<void> {
    let isHeard = false
    this.#channel.onmessage = (message) => {
      if (!Array.isArray(message)) return
      isHeard = true
      handler(message[0])
    }
    const announce = async () => {
      while (!isHeard && !this.#isClosed) {
        await this.#channel.postMessage(this.#seat.name)
        await setTimeout(ANNOUNCE_AGAIN)
      }
    }
    void announce()
  }

  async untilHeardBy(count: number): Promise<void> {
    while (this.#listeners.size < count) await setTimeout(ANNOUNCE_AGAIN)
  }

  send(payload: unknown): Promise<unknown> {
    return this.#channel.postMessage([payload])
  }

  async flush(): Promise<void> {}

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#channel.close()
  }
}

export const broadcastChannel: Contender = {
  name: 'broadcast-channel',
  payloads: ['object', 'text', 'unicode', 'flat-3', 'flat-40', 'nested', 'list', 'log'],
  modes: ['broadcast', 'latency'],
  get settings() {
    return (
      `broadcast-channel ${peerVersion('broadcast-channel')}, its method for Node.js, which writes a file of JSON for each ` +
      'message; await postMessage(), as messages that are sent side by side arrive in any order'
    )
  },
  missing: () => missing(['broadcast-channel']),
  join: async (seat) => new BroadcastChannelStation(seat),
}
