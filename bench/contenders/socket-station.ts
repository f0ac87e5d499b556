import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import type { Seat, Station } from './contender'
import { BATCH_BYTES, FrameBatch, FrameReader } from './frames'
import { Asker } from './request-pipeline'

/** Turns payloads into bytes and back. */
export interface Codec {
  encode(payload: unknown): Buffer
  /** One for each stream of frames. */
  decoder(): (bytes: Buffer, start: number, end: number) => unknown
}

/** Unsent bytes of a socket from which on the sender waits for it. */
const MARK_BYTES = 4 * BATCH_BYTES

export const SOCKET_SETTINGS =
  `node:net over Unix sockets, frames with a length ahead, ${BATCH_BYTES / 1024} KiB a write and the same for all, ` +
  `waiting for who has ${MARK_BYTES / 1024} KiB unsent`

/**
 * What one writes by hand over plain sockets: length-prefixed frames, written 64 KiB at a time, the same bytes to every
 * socket. What is not full leaves at the end of the tick.
 */
export class SocketStation implements Station {
  readonly #seat: Seat
  readonly #codec: Codec
  readonly #server: Server
  readonly #listeners: Socket[] = []
  readonly #dialled: Socket[] = []
  readonly #batch = new FrameBatch((bytes) => this.#write(bytes))
  readonly #askers: Asker[] = []
  /** Of those who respond, by number. */
  #turn = 0
  #waiting: Promise<unknown> | undefined
  #flushing = false

  private constructor(seat: Seat, codec: Codec) {
    this.#seat = seat
    this.#codec = codec
    this.#server = createServer((socket) => {
      this.#listeners.push(socket)
      this.#askers.push(new Asker(socket, codec))
    })
  }

  static async open(seat: Seat, codec: Codec): Promise<SocketStation> {
    const station = new SocketStation(seat, codec)
    station.#server.listen(pathOf(seat, seat.name))
    await once(station.#server, 'listening')
    return station
  }

  async listen(to: readonly string[], handler: (payload: unknown) => void): Promise<void> {
    for (const name of to) {
      const decode = this.#codec.decoder()
      const reader = new FrameReader((bytes, start, end) => handler(decode(bytes, start, end)))
      const socket = await this.#dial(name)
      socket.on('data', (chunk) => reader.read(chunk))
    }
  }

  async untilHeardBy(count: number): Promise<void> {
    while (this.#listeners.length < count) await once(this.#server, 'connection')
  }

  send(payload: unknown): Promise<unknown> | undefined {
    this.#batch.add(this.#codec.encode(payload))
    if (!this.#flushing) this.#flushLater()
    return this.#waiting
  }

  async flush(): Promise<void> {
    this.#batch.flush()
    await this.#waiting
  }

  request(payload: unknown): Promise<unknown> {
    this.#turn = (this.#turn + 1) % this.#listeners.length
    const asker = this.#askers[this.#turn]
    if (!asker) throw new Error('expected a station that responds, got none')
    return asker.ask(payload)
  }

  async respond(to: string, handler: (payload: unknown) => unknown): Promise<void> {
    const socket = await this.#dial(to)
    const batch = new FrameBatch((bytes) => socket.write(bytes))
    const decode = this.#codec.decoder()
    const reader = new FrameReader((bytes, start, end) => {
      batch.add(this.#codec.encode(handler(decode(bytes, start, end))))
    })
    socket.on('data', (chunk) => {
      reader.read(chunk)
      batch.flush()
    })
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

  #flushLater(): void {
    this.#flushing = true
    process.nextTick(() => {
      this.#flushing = false
      this.#batch.flush()
    })
  }

  #write(bytes: Buffer): void {
    for (const socket of this.#listeners) socket.write(bytes)
    const full = this.#listeners.filter(({ writableLength }) => writableLength >= MARK_BYTES)
    if (full.length === 0) return
    this.#waiting = Promise.all(full.map((socket) => once(socket, 'drain'))).then(() => {
      this.#waiting = undefined
    })
  }
}

function pathOf({ directory }: Seat, name: string): string {
  return join(directory, `${name}.sock`)
}
