import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Endpoint, type EndpointOptions } from '../../src'
import type { Interest } from '../../src/model/interest'
import type { Hello, Message } from '../../src/wire/message'
import { until } from '../support/bus'
import { collectGarbage } from '../support/garbage'
import { helloFields, RawPeer } from '../support/raw-peer'

/** An endpoint whose memory is measured, and bare peers that hold almost none. */
export class Scene implements AsyncDisposable {
  readonly #directory = mkdtempSync('/tmp/lahja-')
  readonly #endpoints: Endpoint[] = []
  readonly #peers = new Set<RawPeer>()
  readonly #kept: unknown[] = []
  #count = 0

  async host(options: Partial<EndpointOptions> = {}): Promise<Endpoint> {
    const directory = join(this.#directory, 'bus')
    const host = await Endpoint.start({ name: 'host', directory, ...options })
    host.on('error', () => {})
    this.#endpoints.push(host)
    return host
  }

  /** A linked peer that reads, but never returns credit. */
  async peer(host: Endpoint, hello: Partial<Hello> = {}): Promise<RawPeer> {
    const count = this.#count++
    const peer = this.dial(host)
    peer.acknowledges = true
    return peer.introduce(host, helloFields({ id: idOf(count), name: `peer${count}`, ...hello }))
  }

  dial(host: Endpoint): RawPeer {
    const peer = RawPeer.dial(host)
    this.#peers.add(peer)
    return peer
  }

  /** The peer has gone, and nothing of it shall be measured. */
  forget(peer: RawPeer): void {
    this.#peers.delete(peer)
  }

  /** A linked peer that wants something, and then reads nothing more. */
  async stoppedPeer(host: Endpoint, ...interests: Interest[]): Promise<RawPeer> {
    const peer = await this.peer(host)
    if (interests.length > 0) await peer.want(...interests)
    peer.pause()
    return peer
  }

  /** Keeps what was there before the measurement from being collected during it. */
  keep(value: unknown): void {
    this.#kept.push(value)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const peer of this.#peers) peer.destroy()
    await Promise.all(this.#endpoints.map((endpoint) => endpoint.close({ timeout: 0 }).catch(() => {})))
    rmSync(this.#directory, { recursive: true, force: true })
  }
}

/** Sends messages, and resolves when the host has taken them all. */
export async function tell(peer: RawPeer, messages: readonly Buffer[]): Promise<void> {
  const pongs = peer.heardOf('pong').length
  for (const bytes of messages) await peer.sendAll(bytes)
  peer.say(PING)
  await until(() => peer.heardOf('pong').length > pongs || peer.isClosed)
}

const PING: Message = { kind: 'ping' }

/** Bytes that this process holds. `external` includes the array buffers. */
export async function bytesHeld(): Promise<number> {
  await collectGarbage()
  await collectGarbage()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

function idOf(index: number): string {
  return `000000000${index.toString(36).padStart(4, '0')}`
}
