import type { Socket } from 'node:net'
import { FrameBatch, FrameReader } from './frames'
import type { Codec } from './socket-station'

/** Asks over one socket, whose responses come in the order of the requests. */
export class Asker {
  readonly #codec: Codec
  readonly #batch: FrameBatch
  readonly #pending: ((response: unknown) => void)[] = []

  constructor(socket: Socket, codec: Codec) {
    this.#codec = codec
    this.#batch = new FrameBatch((bytes) => socket.write(bytes))
    const decode = codec.decoder()
    const reader = new FrameReader((bytes, start, end) => this.#pending.shift()?.(decode(bytes, start, end)))
    socket.on('data', (chunk) => reader.read(chunk))
  }

  /** Requests of one tick leave together. */
  ask(payload: unknown): Promise<unknown> {
    if (this.#batch.isEmpty) process.nextTick(() => this.#batch.flush())
    this.#batch.add(this.#codec.encode(payload))
    return new Promise((resolve) => this.#pending.push(resolve))
  }
}
