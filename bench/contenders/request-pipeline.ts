import type { Socket } from 'node:net'
import type { StreamCodec } from './codec'
import { FrameBatch, readFrames } from './frames'

/** Requests over one socket. Responses come in the order of the requests. */
export class RequestPipeline {
  readonly #codec: StreamCodec
  readonly #batch: FrameBatch
  readonly #pending: ((response: unknown) => void)[] = []

  constructor(socket: Socket, codec: StreamCodec) {
    this.#codec = codec
    this.#batch = new FrameBatch((bytes) => socket.write(bytes))
    readFrames(socket, codec, (response) => this.#pending.shift()?.(response))
  }

  /** Requests of one tick leave together, but a single one leaves at once. */
  request(payload: unknown): Promise<unknown> {
    this.#batch.add(this.#codec.encode(payload))
    if (this.#pending.length === 0) this.#batch.flush()
    return new Promise((resolve) => this.#pending.push(resolve))
  }
}
