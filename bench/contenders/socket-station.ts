import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import type { StreamCodec } from './codec'
import type { Seat, Station } from './contender'
import { BATCH_BYTES, FrameBatch, readFrames } from './frames'
import { RequestPipeline } from './request-pipeline'

/** Unsent bytes of a socket from which on the sender waits for it. */
const HIGH_WATER_MARK = 4 * BATCH_BYTES

export const SOCKET_SETTINGS =
  `node:net over Unix sockets, frames with a length ahead, ${BATCH_BYTES / 1024} KiB a write and the same for all, ` +
  `waiting for who has ${HIGH_WATER_MARK / 1024} KiB unsent; in a queue in turns, without acknowledgements`

/** Frames over plain sockets, written in batches that every socket gets. */
export class SocketStation implements Station {
  readonly #seat: Seat
  readonly #codec: StreamCodec
  readonly #server = createServer((socket) => {
    this.#listeners.push(socket)
    this.#pipelines.push(new RequestPipeline(socket, this.#codec))
  })
  readonly #listeners: Socket[] = []
  readonly #pipelines: RequestPipeline[] = []
  readonly #dialled: Socket[] = []
  readonly #batch = new FrameBatch((bytes) => this.#write(bytes))
  /** In a queue: for each listener. */
  readonly #shares: FrameBatch[] = []
  /** Index of the responder that is asked next, or of the member of a queue. */
  #turn = 0
  #waiting: Promise<unknown> | undefined

  private constructor(seat: Seat, codec: StreamCodec) {
    this.#seat = seat
    this.#codec = codec
  }

  static async open(seat: Seat, codec: StreamCodec): Promise<SocketStation> {
    const station = new SocketStation(seat, codec)
    station.#server.listen(pathOf(seat, seat.name))
    await once(station.#server, 'listening')
    return station
  }

  async listen(to: readonly string[], handler: (payload: unknown) => void): Promise<void> {
    for (const name of to) readFrames(await this.#dial(name), this.#codec, handler)
  }

  async untilHeardBy(count: number): Promise<void> {
    while (this.#listeners.length < count) await once(this.#server, 'connection')
    if (this.#seat.mode !== 'queue') return
    for (const socket of this.#listeners) this.#shares.push(new FrameBatch((bytes) => this.#writeTo([socket], bytes)))
  }

  send(payload: unknown): Promise<unknown> | undefined {
    const body = this.#codec.encode(payload)
    if (this.#shares.length === 0) this.#batch.add(body)
    else {
      this.#turn = (this.#turn + 1) % this.#shares.length
      this.#shares[this.#turn]?.add(body)
    }
    return this.#waiting
  }

  async sendToEach(payload: unknown): Promise<void> {
    for (const share of this.#shares) share.add(this.#codec.encode(payload))
    await this.flush()
  }

  async flush(): Promise<void> {
    for (const batch of [this.#batch, ...this.#shares]) batch.flush()
    await this.#waiting
  }

  request(payload: unknown): Promise<unknown> {
    this.#turn = (this.#turn + 1) % this.#pipelines.length
    const pipeline = this.#pipelines[this.#turn]
    if (!pipeline) throw new Error('expected a station that responds, got none')
    return pipeline.request(payload)
  }

  async respond(to: string, handler: (payload: unknown) => unknown): Promise<void> {
    const socket = await this.#dial(to)
    const batch = new FrameBatch((bytes) => socket.write(bytes))
    const answer = (payload: unknown) => batch.add(this.#codec.encode(handler(payload)))
    readFrames(socket, this.#codec, answer, () => batch.flush())
  }

  async close(): Promise<void> {
    for (const socket of [...this.#listeners, ...this.#dialled]) socket.destroy()
    this.#server.close()
  }

  async #dial(name: string): Promise<Socket> {
    const socket = connect(pathOf(this.#seat, name))
    this.#dialled.push(socket)
    await once(socket, 'connect')
    return socket
  }

  #write(bytes: Buffer): void {
    this.#writeTo(this.#listeners, bytes)
  }

  #writeTo(sockets: readonly Socket[], bytes: Buffer): void {
    for (const socket of sockets) socket.write(bytes)
    if (this.#waiting) return
    const full = this.#listeners.filter(({ writableLength }) => writableLength >= HIGH_WATER_MARK)
    if (full.length === 0) return
    this.#waiting = Promise.all(full.map((socket) => once(socket, 'drain'))).then(() => {
      this.#waiting = undefined
    })
  }
}

function pathOf({ directory }: Seat, name: string): string {
  return join(directory, `${name}.sock`)
}
