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

  /** Requests of one tick leave together. */
  request(payload: unknown): Promise<unknown> {
    this.#batch.add(this.#codec.encode(payload))
    return new Promise((resolve) => this.#pending.push(resolve))
  }
}
