import type { Endpoint } from '../../src'
import { defineEvent } from '../../src'
import { MAX_IN_HAND } from '../../src/model/limits'
import type { Message } from '../../src/wire/message'
import { until } from '../support/bus'
import { encoded, frameAround } from '../support/frame-bytes'
import { turn } from '../support/workbench'
import { type Scene, tell } from './scene'

const KIB = 1024
const MIB = 1024 * KIB

/** A worst case of one bound. */
export interface Row {
  /** The bound, and what is made of it, as docs/reliability.md calls them. */
  readonly bound: string
  readonly worst: string
  /** Whether `npm test` measures it. */
  readonly isQuick?: boolean
  /** Sets the scene. Returns what fills the memory; it resolves to the number of items, if the memory of each is meant. */
  readonly begin: (scene: Scene) => Promise<() => Promise<number | undefined>>
}

/** Broadcasts in bursts until this many bytes of payload have been sent. */
async function flood(host: Endpoint, bytes: number, each: number, send: (index: number) => void): Promise<undefined> {
  for (let index = 0; index * each < bytes; index++) {
    send(index)
    if (index % 1000 === 999) await turn()
  }
  await turn()
  if (host.peers.length === 0) throw new Error('expected peers, got none')
}

/** Frames of these messages, in pieces of at most 256 KiB. */
function framesOf(count: number, messageOf: (index: number) => Message): Buffer[] {
  const frames = Array.from({ length: count }, (_, index) => encoded(messageOf(index)))
  const pieces: Buffer[] = []
  for (let start = 0; start < count; start += 1000) pieces.push(Buffer.concat(frames.slice(start, start + 1000)))
  return pieces
}

/** As many of these messages as a window takes, which the host does not get done with. */
function unhandled(worst: string, message: Message, read: (host: Endpoint) => void): Row {
  return {
    bound: 'windowBytes',
    worst,
    begin: async (scene) => {
      const host = await scene.host()
      read(host)
      const peer = await scene.peer(host)
      const count = Math.floor(MIB / encoded(message).length)
      const frames = framesOf(count, () => message)
      return async () => {
        await tell(peer, frames)
        return undefined
      }
    },
  }
}

const tick = (payload: unknown): Message => ({ kind: 'event', type: 'tick', payload })

const NEVER = () => new Promise<void>(() => {})
const SMALL = 'x'.repeat(20)
let keys = 0
const Held = defineEvent<string>('held', { hold: 600_000, partition: () => String(keys++) })
const Latest = defineEvent<number>('latest', { overflow: { latest: (payload) => `key-${payload}` } })

export const ROWS: readonly Row[] = [
  {
    bound: 'outboxBytes',
    worst: 'events of 20 bytes to a stopped peer',
    begin: async (scene) => {
      const host = await scene.host()
      await scene.stoppedPeer(host, { type: 'tick' })
      return () => flood(host, 12 * MIB, 20, () => host.broadcastNowait('tick', SMALL))
    },
  },
  {
    bound: 'outboxBytes',
    worst: 'events of 1 MiB to a stopped peer',
    begin: async (scene) => {
      const host = await scene.host()
      await scene.stoppedPeer(host, { type: 'tick' })
      const large = Buffer.alloc(MIB - 100, 1)
      return () => flood(host, 20 * MIB, MIB, () => host.broadcastNowait('tick', large))
    },
  },
  {
    bound: 'outboxBytes',
    isQuick: true,
    worst: 'events with the policy `latest`, each with a key of its own',
    begin: async (scene) => {
      const host = await scene.host()
      await scene.stoppedPeer(host, { type: 'latest' })
      return () => flood(host, 2 * MIB, 20, (index) => host.broadcastNowait(Latest, index))
    },
  },
  {
    bound: 'outboxBytes',
    worst: 'events of 20 bytes to two stopped peers by turns',
    begin: async (scene) => {
      const host = await scene.host()
      for (let peer = 0; peer < 2; peer++) await scene.stoppedPeer(host, { type: 'tick' })
      return async () => {
        await flood(host, 4 * MIB, 20, (index) => host.broadcastNowait('tick', SMALL, { to: `peer${index % 2}` }))
        return 2
      }
    },
  },
  {
    bound: 'outboxBytes',
    worst: 'queue events of 20 bytes to a stopped member',
    begin: async (scene) => {
      const host = await scene.host()
      await scene.stoppedPeer(host, { type: 'tick', queue: 'q' })
      return () => flood(host, 12 * MIB, 20, () => host.broadcastNowait('tick', SMALL))
    },
  },
  {
    bound: 'outboxBytes',
    worst: 'queue events of 20 bytes to a stopped member that takes 65,536',
    begin: async (scene) => {
      const host = await scene.host()
      await scene.stoppedPeer(host, { type: 'tick', queue: 'q', member: 1, capacity: MAX_IN_HAND })
      return () => flood(host, 12 * MIB, 20, () => host.broadcastNowait('tick', SMALL))
    },
  },
  {
    bound: 'outboxBytes',
    worst: 'events of 20 bytes that wait for a queue, each with a key of its own',
    begin: async (scene) => {
      const host = await scene.host()
      await scene.peer(host)
      return () => flood(host, 12 * MIB, 20, () => host.broadcastNowait(Held, SMALL))
    },
  },
  {
    bound: 'outboxBytes',
    worst: 'events of 20 bytes to a stopped peer, each among 64 KiB of events to others',
    begin: async (scene) => {
      const host = await scene.host()
      host.subscribe('often', () => {})
      await scene.stoppedPeer(host, { type: 'rare' })
      const payload = 'x'.repeat(1000)
      return () => {
        return flood(host, 120 * MIB, 1000, (index) => {
          host.broadcastNowait('often', payload)
          if (index % 64 === 0) host.broadcastNowait('rare', SMALL)
        })
      }
    },
  },
  {
    bound: 'outboxTotalBytes',
    worst: '32 MiB for 16 stopped peers, each with events of 1,000 bytes of its own',
    begin: async (scene) => {
      const host = await scene.host({ limits: { outboxTotalBytes: 32 * MIB } })
      const payload = 'x'.repeat(1000)
      for (let peer = 0; peer < 16; peer++) await scene.stoppedPeer(host, { type: `tick${peer}` })
      return () => flood(host, 60 * MIB, 1000, (index) => host.broadcastNowait(`tick${index % 16}`, payload))
    },
  },
  unhandled('events of 20 bytes whose async handler never ends', tick(SMALL), (host) => {
    host.subscribe('tick', NEVER)
  }),
  unhandled('events of 20 bytes in a stream that is not read', tick(SMALL), (host) => {
    host.stream('tick')
  }),
  unhandled(
    'queue events of 20 bytes whose async handler never ends',
    { kind: 'assign', queue: 'q', type: 'tick', isFixed: false, payload: SMALL },
    (host) => {
      host.subscribe('tick', NEVER, { queue: 'q', prefetch: Number.POSITIVE_INFINITY })
    },
  ),
  {
    bound: 'prefetch',
    worst: 'queue events of 20 bytes whose async handler never ends, the most that a member takes of one sender',
    begin: async (scene) => {
      const host = await scene.host()
      host.subscribe('tick', NEVER, { queue: 'q', prefetch: MAX_IN_HAND - 1 })
      const peer = await scene.peer(host)
      const frames = framesOf(MAX_IN_HAND, (index) => {
        return { kind: 'give', member: 1, number: index + 1, type: 'tick', isFixed: false, payload: SMALL }
      })
      return async () => {
        await tell(peer, frames)
        return undefined
      }
    },
  },
  unhandled('events of 1 KiB whose async handler never ends', tick('x'.repeat(KIB)), (host) => {
    host.subscribe('tick', NEVER)
  }),
  unhandled(
    'events without a payload whose async handlers never end, with `concurrency: 1_000_000`',
    tick(undefined),
    (host) => {
      host.subscribe('tick', NEVER, { concurrency: 1_000_000 })
    },
  ),
  {
    bound: 'windowBytes',
    worst: 'one event of 1 MiB of empty objects whose async handler never ends',
    begin: async (scene) => {
      const host = await scene.host()
      host.subscribe('tick', NEVER)
      const peer = await scene.peer(host)
      const count = 0xf0000
      const head = Buffer.from('9305a47469636bdd00000000', 'hex')
      head.writeUInt32BE(count, head.length - 4)
      const bytes = frameAround(Buffer.concat([head, Buffer.alloc(count, 0x80)]))
      return async () => {
        await tell(peer, [bytes])
        return undefined
      }
    },
  },
  {
    bound: 'frameBytes',
    worst: 'a frame of 1 MiB that has arrived but for its last byte',
    begin: async (scene) => {
      const host = await scene.host()
      const peer = await scene.peer(host)
      const bytes = frameAround(Buffer.alloc(MIB - 100, 1))
      return async () => {
        await peer.sendAll(bytes.subarray(0, -1))
        // Nothing tells that the host has read it all.
        for (let count = 0; count < 100; count++) await turn()
        return undefined
      }
    },
  },
  {
    bound: 'pendingHandshakes',
    worst: '500 connections that say nothing, of which 64 stay',
    begin: async (scene) => {
      const host = await scene.host()
      return async () => {
        const peers = Array.from({ length: 500 }, () => scene.dial(host))
        await until(() => peers.filter(({ isClosed }) => isClosed).length >= 500 - 64)
        return 64
      }
    },
  },
  {
    bound: 'pendingRequests',
    isQuick: true,
    worst: 'requests of 20 bytes that wait at the asker',
    begin: async (scene) => {
      const host = await scene.host()
      const peer = await scene.peer(host)
      await peer.want({ type: 'ask', responds: true })
      return async () => {
        const count = 10_000
        for (let index = 0; index < count; index++) host.request('ask', SMALL, { timeout: 600_000 }).catch(() => {})
        await turn()
        return count
      }
    },
  },
  {
    bound: 'pendingRequests',
    worst: 'requests of 20 bytes whose async handlers never end',
    begin: async (scene) => {
      const host = await scene.host()
      const peer = await scene.peer(host)
      host.respond('ask', NEVER)
      return async () => {
        await tell(
          peer,
          framesOf(1024, (id) => ({ kind: 'request', id, type: 'ask', payload: SMALL })),
        )
        return 1024
      }
    },
  },
  {
    bound: 'pendingRequests',
    worst: 'responses of 64 KiB by 1,024 async handlers to a stopped asker',
    begin: async (scene) => {
      const host = await scene.host()
      const peer = await scene.peer(host)
      const release: (() => void)[] = []
      host.respond('ask', async () => {
        await new Promise<void>((resolve) => release.push(resolve))
        return 'x'.repeat(64 * KIB - 100)
      })
      await tell(
        peer,
        framesOf(1024, (id) => ({ kind: 'request', id, type: 'ask', payload: 1 })),
      )
      peer.pause()
      return async () => {
        for (const resolve of release.splice(0)) resolve()
        await turn()
        return undefined
      }
    },
  },
  {
    bound: 'control messages',
    worst: 'pings of a peer that reads no answers',
    begin: async (scene) => {
      const host = await scene.host()
      const peer = await scene.peer(host)
      const count = 100_000
      const flood = framesOf(count, () => ({ kind: 'ping' }))
      return async () => {
        peer.pause()
        // Behind the pings comes a request, whose handler tells that they have been read.
        let isRead = false
        host.respond('read', () => {
          isRead = true
        })
        for (const bytes of flood) await peer.sendAll(bytes)
        peer.say({ kind: 'request', id: 1, type: 'read', payload: 1 })
        await until(() => isRead)
        return count
      }
    },
  },
  {
    bound: 'interests',
    isQuick: true,
    worst: 'subscriptions of a peer to types with names of 20 bytes',
    begin: async (scene) => {
      const host = await scene.host()
      const peer = await scene.peer(host)
      const interests = Array.from({ length: 10_000 }, (_, index) => ({ type: `type.${index}`.padEnd(20, 'x') }))
      return async () => {
        await peer.want(...interests)
        return interests.length
      }
    },
  },
  {
    bound: 'peers',
    worst: 'peers that are linked and silent',
    begin: async (scene) => {
      const host = await scene.host()
      return async () => {
        for (let count = 0; count < 100; count++) await scene.peer(host)
        return 100
      }
    },
  },
  {
    bound: 'names',
    worst: 'peers that have come and gone, each with another name',
    begin: async (scene) => {
      const host = await scene.host()
      const visits = async (first: number) => {
        for (let index = first; index < first + 1000; index++) {
          const peer = await scene.peer(host, { name: `visitor-${index}` })
          peer.say({ kind: 'goodbye', reason: 'left', text: '' })
          await peer.closed()
          await until(() => host.peers.length === 0)
          scene.forget(peer)
        }
      }
      await visits(0)
      return async () => {
        await visits(1000)
        return 1000
      }
    },
  },
  {
    bound: 'names',
    worst: '30,000 types that were broadcast once, each with another name of 255 bytes',
    begin: async (scene) => {
      const host = await scene.host()
      return async () => {
        for (let index = 0; index < 30_000; index++) host.broadcastNowait(`${index}`.padEnd(255, 'x'), index)
        return undefined
      }
    },
  },
]
