import { getEventListeners } from 'node:events'
import { inspect } from 'node:util'
import { expect } from 'chai'
import { defineRequest, type Endpoint, LahjaError, type RequestOptions, type Subscription } from '../../src'
import { Random } from '../fuzz/random'
import { freshBus, until } from '../support/bus'
import { type RawPeer, rawPeers } from '../support/raw-peer'
import { turn } from '../support/workbench'

const Fast = defineRequest<number, number>('mixed.fast')
const Slow = defineRequest<number, number>('mixed.slow')
const Unanswered = defineRequest<number, number>('mixed.unanswered')
const AUDIENCES = [undefined, undefined, 'b', ['b', 'c'], { group: 'g' }, 'a', 'nobody'] as const

/** Codes with which a request may end here. */
const ENDINGS = ['NO_SUBSCRIBERS', 'ABORTED', 'REQUEST_TIMEOUT', 'REMOTE_ERROR', 'REMOTE_DISCONNECTED']

/** Answers or declines some of the requests that a peer has got since the last call. */
function answerSome(peer: RawPeer, random: Random, known: Set<number>): void {
  for (const { id } of peer.heard.splice(0).filter((message) => message.kind === 'request')) {
    expect(known.has(id), `request ${id} was sent twice`).to.equal(false)
    const what = random.pick(['decline', 'respond', 'hold'])
    known.add(id)
    if (what === 'decline') peer.say({ kind: 'decline', id })
    if (what === 'respond') peer.say({ kind: 'response', id, payload: -1 })
  }
}

describe('Endpoint.request, with all options mixed at random,', () => {
  const bus = freshBus()
  const raw = rawPeers()

  for (const seed of [1, 2, 3]) {
    it(`settles each request, runs no handler twice for one, and leaves nothing queued (seed ${seed})`, async () => {
      const random = new Random(seed)
      const limits = { pendingRequests: 2 + random.below(9), windowBytes: 2_000, highWaterMark: 5_000, patience: 50 }
      const { a, b, c } = await bus.startEach({
        a: { limits },
        b: { limits, groups: ['g'] },
        c: { limits, groups: ['g'] },
      })
      const handled = new Set<string>()
      const responders = new Map<string, Subscription>()
      const toggle = (endpoint: Endpoint, type: typeof Fast) => {
        const key = `${endpoint.name} ${type.name}`
        const known = responders.get(key)
        responders.delete(key)
        if (known) return known.unsubscribe()
        const responder = endpoint.respond(type, async ({ payload, signal }) => {
          expect(handled.has(`${endpoint.name} ${payload}`), `request ${payload} was handled twice`).to.equal(false)
          handled.add(`${endpoint.name} ${payload}`)
          if (type === Slow) await until(() => signal.aborted || payload % 3 > 0)
          if (payload % 7 === 0) throw new RangeError('seven')
          return payload
        })
        responders.set(key, responder)
      }
      for (const endpoint of [a, b, c]) endpoint.on('error', () => {})
      for (const endpoint of [b, c]) endpoint.subscribe('tick', () => turn())

      const signals: AbortController[] = []
      const endings = new Map<string, number>()
      const ended = (error: unknown) => {
        const ending = error instanceof LahjaError ? error.code.replace('LAHJA_', '') : `${error}`
        endings.set(ending, (endings.get(ending) ?? 0) + 1)
      }
      const all: Promise<unknown>[] = []
      let peer: RawPeer | undefined
      let known = new Set<number>()
      for (let id = 1; id <= 400; id++) {
        if (random.once(5)) toggle(random.pick([a, b, c]), random.pick([Fast, Slow]))
        if (random.once(3)) a.broadcastNowait('tick', Buffer.alloc(random.below(1_500)))
        if (random.once(20)) {
          peer?.destroy()
          known = new Set()
          peer = await raw.connect(a, { name: `raw-${id}`, id: `${id}`.padStart(13, '0') })
          await peer.want({ type: Fast.name, responds: true }, { type: 'tick' })
        }
        const controller = new AbortController()
        const options: RequestOptions = {
          timeout: random.once(5) ? random.below(10) : 500,
          ordered: random.once(2),
          ...(random.once(2) && { wait: random.below(300) }),
          ...(random.once(3) && { signal: controller.signal }),
          to: random.pick(AUDIENCES),
        }
        signals.push(controller)
        const answer = a
          .request(random.pick([Fast, Slow, Unanswered]), id, options)
          .then((payload) => expect(payload).to.be.oneOf([id, -1]))
        all.push(answer.catch(ended))
        if (random.once(4)) signals[random.below(signals.length)]?.abort()
        if (random.once(3)) await turn()
        if (peer) answerSome(peer, random, known)
      }
      await Promise.all(all)
      expect(ENDINGS).to.include.members([...endings.keys()])
      expect(endings.size).to.be.at.least(4)
      for (const { signal } of signals) expect(getEventListeners(signal, 'abort')).to.have.length(0)
      peer?.destroy()
      await until(() => [...responders.values()].every(({ pending }) => pending === 0))
      await until(() => inspect(a).includes('peers: 2') && inspect(a).includes('queuedBytes: 0'))
    })
  }
})
