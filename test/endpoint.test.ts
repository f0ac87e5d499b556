import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { defineEvent, Endpoint, type Event, type Peer } from '../src'
import { freshBus, next, until } from './support/bus'
import { HeldTimers } from './support/held-timers'
import { payloadsAt } from './support/payloads'
import { rejection, rejectionCode } from './support/rejection'
import { reportsOf } from './support/reports'
import { throwing } from './support/throwing'
import { warningThat } from './support/warning'

const Order = defineEvent<{ id: number }>('order.placed')
const Tick = defineEvent('tick')

/** Milliseconds longer than any test, so that endpoints rescan only where a test wants it. */
const RESCAN = 600_000

describe('Endpoint', () => {
  const bus = freshBus()

  describe('start', () => {
    it('is linked with every live peer when it resolves', async () => {
      await bus.start('a', { groups: ['web'] })
      const b = await bus.start('b')
      expect(b.peers).to.have.length(1)
      expect(b.peers[0]).to.deep.include({ name: 'a', groups: ['web'], pid: process.pid, state: 'connected' })
      expect(b.isConnectedTo('a')).to.equal(true)
      expect(b.isConnectedTo('b')).to.equal(true)
      expect(b.isConnectedTo('c')).to.equal(false)
    })

    it('G10: rejects with NameInUse for a held name, and leaves its holder unaffected', async () => {
      const a = await bus.start('a')
      const error = await rejection(bus.start('a'))
      expect(error).to.include({ code: 'LAHJA_NAME_IN_USE' })
      expect(error.message).to.contain("'a'").and.contain(bus.directory)
      expect(readdirSync(bus.directory)).to.deep.equal([`a~${a.id}.sock`])
      expect(a.peers).to.deep.equal([])
    })

    it('G10: lets exactly one of many concurrent starts win the name, and frees it on close', async () => {
      const outcomes = await Promise.allSettled(Array.from({ length: 12 }, () => bus.start('a')))
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).to.have.length(1)
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected') expect(outcome.reason).to.include({ code: 'LAHJA_NAME_IN_USE' })
        else await outcome.value.close()
      }
      await bus.start('a')
    })

    it('is not held up by a socket file whose path is too long to dial, and reports it', async () => {
      const directory = join(bus.directory, 'd'.repeat(40))
      const warned = warningThat(({ name }) => name === 'PathTooLong')
      mkdirSync(directory, { mode: 0o700 })
      writeFileSync(join(directory, `${'n'.repeat(60)}~0000000000000.sock`), '')
      await bus.start('a', { directory, limits: { handshakeTimeout: 60_000 } })
      await warned
    })

    for (const name of ['', '.hidden', 'a b', 'a/b', 'ü', 'x'.repeat(65), undefined, 7]) {
      it(`rejects with InvalidArgument for the name ${String(JSON.stringify(name)).slice(0, 20)}`, async () => {
        const options = Object.assign({ directory: bus.directory, name: 'a' }, { name })
        expect(await rejection(Endpoint.start(options))).to.include({ code: 'LAHJA_INVALID_ARGUMENT' })
      })
    }

    it('leaves no file and no handle behind when it fails', async () => {
      await bus.start('a')
      await rejection(bus.start('a'))
      await rejection(bus.start('b', { directory: join(bus.directory, 'x'.repeat(100)) }))
      expect(readdirSync(bus.directory).filter((file) => file.endsWith('.sock'))).to.have.length(1)
    })
  })

  describe('broadcast', () => {
    it('reaches every subscriber, its own included, and resolves to their number', async () => {
      const { a, b, c } = await bus.startAll('a', 'b', 'c')
      const received: string[] = []
      const subscriptions = [a, b, c].map((endpoint) =>
        endpoint.subscribe(Order, ({ payload, origin }) => received.push(`${endpoint.name} ${payload.id} ${origin}`)),
      )
      await Promise.all(subscriptions.map(({ ready }) => ready))
      expect(await a.broadcast(Order, { id: 1 })).to.equal(3)
      await until(() => received.length === 3)
      expect(received.sort()).to.deep.equal(['a 1 a', 'b 1 a', 'c 1 a'])
    })

    it('G2: sends nothing to endpoints that have not subscribed or have unsubscribed', async () => {
      const { a, b, c } = await bus.startAll('a', 'b', 'c')
      const received: unknown[] = []
      const subscription = b.subscribe(Order, ({ payload }) => received.push(payload))
      c.subscribe('order.other', ({ payload }) => received.push(payload))
      await subscription.ready
      expect(await a.broadcast(Order, { id: 1 })).to.equal(1)
      await until(() => received.length === 1)
      subscription.unsubscribe()
      subscription.unsubscribe()
      await until(() => a.peers.every((peer) => !peer.subscriptions.includes('order.placed')))
      expect(await a.broadcast(Order, { id: 2 })).to.equal(0)
      expect(received).to.deep.equal([{ id: 1 }])
    })

    it('goes only to the addressed name, names or group, and not to those in except', async () => {
      const a = await bus.start('a', { groups: ['web'] })
      const b = await bus.start('b', { groups: ['web', 'blue'] })
      const c = await bus.start('c', { groups: ['blue'] })
      const received: string[] = []
      for (const endpoint of [a, b, c]) {
        await endpoint.subscribe('x', ({ payload }) => received.push(`${payload}${endpoint.name}`)).ready
      }
      const counts = [
        await a.broadcast('x', 1, { to: 'b' }),
        await a.broadcast('x', 2, { to: ['b', 'c', 'nobody'] }),
        await a.broadcast('x', 3, { to: { group: 'web' } }),
        await a.broadcast('x', 4, { to: { group: 'blue' }, except: 'c' }),
        await a.broadcast('x', 5, { except: { group: 'web' } }),
        await a.broadcast('x', 6, { except: ['a', 'c'] }),
        await a.broadcast('x', 7, { internal: true }),
        await a.broadcast('x', 8, { to: 'a' }),
        await a.broadcast('x', 9, { to: 'b', internal: true }),
      ]
      expect(counts).to.deep.equal([1, 2, 2, 1, 1, 1, 1, 1, 0])
      await until(() => received.length === 10)
      expect(received.sort()).to.deep.equal(['1b', '2b', '2c', '3a', '3b', '4b', '5c', '6b', '7a', '8a'])
    })

    it('resolves to 0 without subscribers, and rejects only if one is required', async () => {
      const a = await bus.start('a')
      expect(await a.broadcast(Order, { id: 1 })).to.equal(0)
      const error = await rejection(a.broadcast(Order, { id: 1 }, { requireSubscriber: true }))
      expect(error).to.include({ code: 'LAHJA_NO_SUBSCRIBERS' })
      expect(error.message).to.contain('event order.placed was not sent: no endpoint subscribes to it')
      const addressed = { to: ['b', 'c'], except: { group: 'web' }, requireSubscriber: true }
      expect((await rejection(a.broadcast(Order, { id: 1 }, addressed))).message).to.contain(
        'no endpoint that it is addressed to (to b, c; except group web) subscribes to it',
      )
      const inside = { internal: true, requireSubscriber: true }
      expect((await rejection(a.broadcast(Order, { id: 1 }, inside))).message).to.contain('addressed to (internal)')
    })

    it("checks requireSubscriber with any other option too, and the call's value overrides the endpoint's", async () => {
      const a = await bus.start('a', { requireSubscriber: true })
      a.subscribe(Order, () => {})
      expect(await a.broadcast(Order, { id: 1 })).to.equal(1)
      expect(await rejectionCode(a.broadcast(Order, { id: 1 }, { except: 'a' }))).to.equal('LAHJA_NO_SUBSCRIBERS')
      expect(await a.broadcast(Order, { id: 1 }, { except: 'a', requireSubscriber: false })).to.equal(0)
      expect(await rejectionCode(() => a.broadcastNowait(Order, { id: 1 }, { to: 'z' }))).to.equal(
        'LAHJA_NO_SUBSCRIBERS',
      )
    })

    it('names the path of a value that cannot be sent, and sends the next event', async () => {
      const { a, b } = await bus.startAll('a', 'b')
      const received = await payloadsAt(b, 'x')
      const cycle: { items: unknown[] } = { items: [] }
      cycle.items.push({ back: cycle })
      const bad: [unknown, string][] = [
        [{ items: [{}, { done: () => {} }] }, 'payload.items[1].done is a function'],
        [Symbol('s'), 'payload is Symbol(s)'],
        [cycle, 'payload.items[0].back contains itself'],
        [{ 'a b': 2n ** 32_767n }, 'payload["a b"] is a bigint of 4097 bytes'],
      ]
      for (const [payload, place] of bad) {
        const error = await rejection(a.broadcast('x', payload))
        expect(error).to.include({ code: 'LAHJA_UNSERIALIZABLE_PAYLOAD' })
        expect(error.message).to.contain(place)
      }
      await a.broadcast('x', 'good')
      await until(() => received.length === 1)
      expect(received).to.deep.equal(['good'])
    })

    it('rejects a payload over the frame limit, its own or that of its only receiver', async () => {
      const a = await bus.start('a')
      const small = await bus.start('small', { limits: { frameBytes: 8192, outboxBytes: 65_536 } })
      const b = await bus.start('b')
      const received: number[] = []
      await small.subscribe('x', () => {}).ready
      await b.subscribe('x', ({ payload }) => payload instanceof Uint8Array && received.push(payload.length)).ready
      const own = await rejection(a.broadcast('x', Buffer.alloc(2 ** 20)))
      expect(own).to.include({ code: 'LAHJA_PAYLOAD_TOO_LARGE' })
      expect(own.message).to.contain('1048576')
      const theirs = await rejection(a.broadcast('x', Buffer.alloc(10_000), { to: 'small' }))
      expect(theirs).to.include({ code: 'LAHJA_PAYLOAD_TOO_LARGE' })
      expect(theirs.message).to.contain('8192').and.contain('small')
      expect(await a.broadcast('x', Buffer.alloc(10_000), { except: 'small' })).to.equal(1)
      await until(() => received.length === 1)
      expect(received).to.deep.equal([10_000])
    })

    for (const to of [7, null, { group: 7 }, [7], {}]) {
      it(`rejects with InvalidArgument for to: ${JSON.stringify(to)}`, async () => {
        const a = await bus.start('a')
        const options = Object.assign({ to: 'a' }, { to })
        expect(await rejection(a.broadcast('x', 1, options))).to.include({ code: 'LAHJA_INVALID_ARGUMENT' })
      })
    }

    it('delivers a copy to its own subscriptions, after the call has returned', async () => {
      const a = await bus.start('a')
      const payload = { list: [1] }
      const received = await payloadsAt(a, 'x')
      a.broadcastNowait('x', payload)
      expect(received).to.deep.equal([])
      payload.list.push(2)
      await until(() => received.length === 1)
      expect(received).to.deep.equal([{ list: [1] }])
    })

    it('G4: keeps the order for its own subscriptions even when a handler broadcasts', async () => {
      const a = await bus.start('a')
      const seen: string[] = []
      a.subscribe('n', ({ payload }) => {
        seen.push(`first ${payload}`)
        if (payload === 1) a.broadcastNowait('n', 2)
      })
      a.subscribe('n', ({ payload }) => seen.push(`second ${payload}`))
      a.broadcastNowait('n', 1)
      await until(() => seen.length === 4)
      expect(seen).to.deep.equal(['first 1', 'second 1', 'first 2', 'second 2'])
    })

    it('carries a missing payload as undefined', async () => {
      const { a, b } = await bus.startAll('a', 'b')
      const event = b.waitFor(Tick)
      await until(() => a.peers[0]?.subscriptions.includes('tick') ?? false)
      await a.broadcast(Tick)
      expect(await event).to.deep.equal({ type: 'tick', payload: undefined, origin: 'a', headers: {} })
    })

    it('waits for a peer that does not read, while broadcastNowait returns false', async () => {
      const a = await bus.start('a', { limits: { highWaterMark: 1000, patience: 60_000 } })
      const b = await bus.start('b')
      await b.subscribe('x', () => {}).ready
      expect(a.broadcastNowait('x', Buffer.alloc(10))).to.equal(true)
      expect(a.broadcastNowait('x', Buffer.alloc(2000))).to.equal(false)
      await a.drained()
      expect(a.peers[0]?.queuedBytes).to.equal(0)
      const sent = a.broadcast('x', Buffer.alloc(2000))
      expect(a.peers[0]?.queuedBytes).to.be.above(2000)
      await sent
      expect(a.peers[0]?.queuedBytes).to.equal(0)
      const aborted = await rejection(a.broadcast('x', Buffer.alloc(2000), { signal: AbortSignal.abort('enough') }))
      expect(aborted).to.include({ code: 'LAHJA_ABORTED', cause: 'enough' })
    })
  })

  describe('subscribe', () => {
    it('runs an async handler one event at a time, in order', async () => {
      const { a, b } = await bus.startAll('a', 'b')
      const steps: string[] = []
      await b.subscribe('n', async ({ payload }) => {
        steps.push(`begin ${payload}`)
        await new Promise((resolve) => setImmediate(resolve))
        steps.push(`end ${payload}`)
      }).ready
      for (let n = 1; n <= 3; n++) await a.broadcast('n', n)
      await until(() => steps.length === 6)
      expect(steps).to.deep.equal(['begin 1', 'end 1', 'begin 2', 'end 2', 'begin 3', 'end 3'])
    })

    it('reports a handler that throws or rejects, and goes on', async () => {
      const { a, b } = await bus.startAll('a', 'b')
      const errors = reportsOf(b)
      const received: unknown[] = []
      b.subscribe('n', ({ payload }) => {
        received.push(payload)
        throw new TypeError('sync')
      })
      await b.subscribe('n', () => Promise.reject(new TypeError('async'))).ready
      await a.broadcast('n', 1)
      await a.broadcast('n', 2)
      await until(() => errors.length === 4)
      expect(received).to.deep.equal([1, 2])
      for (const error of errors) {
        expect(error).to.include({ code: 'LAHJA_HANDLER_ERROR' })
        expect(error.cause).to.be.instanceOf(TypeError)
        expect(error.message).to.contain('of n failed on an event from a')
      }
    })

    it('goes on after a thenable whose then throws', async () => {
      const a = await bus.start('a')
      const errors = reportsOf(a)
      const received: unknown[] = []
      a.subscribe('n', ({ payload }) => {
        received.push(payload)
        return Object.defineProperty({}, 'then', { value: throwing(new Error('lazy query failed')) })
      })
      for (let n = 0; n < 3; n++) a.broadcastNowait('n', n)
      await until(() => errors.length === 3)
      expect(received).to.deep.equal([0, 1, 2])
    })

    it('turns an error without a listener into a process warning', async () => {
      const a = await bus.start('a')
      const warned = warningThat(({ message }) => message.includes('unheard'))
      a.subscribe('n', throwing(new Error('unheard')))
      a.broadcastNowait('n', 1)
      expect(await warned).to.include({ name: 'HandlerError' })
    })

    it('survives a listener of endpoint events that throws', async () => {
      const a = await bus.start('a')
      const errors = reportsOf(a)
      a.on('joined', throwing(new Error('listener')))
      await bus.start('b')
      await a.waitUntilConnectedTo('b')
      expect(errors[0]).to.include({ code: 'LAHJA_HANDLER_ERROR' })
      expect(a.peers).to.have.length(1)
    })

    it('ends when its signal aborts, and never starts with an aborted signal', async () => {
      const a = await bus.start('a')
      const abort = new AbortController()
      a.subscribe('n', () => {}, { signal: abort.signal })
      expect(await a.broadcast('n', 1)).to.equal(1)
      abort.abort()
      expect(await a.broadcast('n', 1)).to.equal(0)
      a.subscribe('n', () => {}, { signal: abort.signal })
      expect(await a.broadcast('n', 1)).to.equal(0)
    })

    it('G6: misses no event that is broadcast after it is ready', async () => {
      const { a, b } = await bus.startAll('a', 'b')
      for (let round = 0; round < 50; round++) {
        const received: unknown[] = []
        const subscription = b.subscribe(`type.${round}`, ({ payload }) => received.push(payload))
        await subscription.ready
        expect(await a.broadcast(`type.${round}`, round)).to.equal(1)
        await until(() => received.length === 1)
        subscription.unsubscribe()
      }
    })

    it('is ready only when an earlier subscription to the type has been announced too', async () => {
      const { a, b } = await bus.startAll('a', 'b')
      b.subscribe('x', () => {})
      await b.subscribe('x', () => {}).ready
      expect(await a.broadcast('x', 1)).to.equal(1)
    })

    it('is ready, also as the second of its type, only when a peer that has just joined knows of it', async () => {
      const a = await bus.start('a')
      const c = await bus.start('c')
      a.subscribe('t', () => {})
      for (let round = 0; round < 20; round++) {
        const joined = next(a, 'joined')
        const b = await bus.start(`b${round}`)
        await joined
        await a.subscribe('t', () => {}).ready
        expect(await b.broadcast('t', round, { to: 'a' })).to.equal(1)
      }
      expect(await c.broadcast('t')).to.equal(1)
    })

    it('announces thousands of types to new peers', async () => {
      const a = await bus.start('a')
      for (let n = 0; n < 5000; n++) a.subscribe(`some.rather.long.type.name.${n}`, () => {})
      const b = await bus.start('b', { limits: { frameBytes: 4096, outboxBytes: 65_536 } })
      expect(b.peers[0]?.subscriptions).to.have.length(5000)
      expect(await b.broadcast('some.rather.long.type.name.4999', 1)).to.equal(1)
    })
  })

  describe('stream', () => {
    it('yields events from the call on, and ends after its limit', async () => {
      const { a, b } = await bus.startAll('a', 'b')
      const stream = b.stream(Order, { limit: 3 })
      await stream.ready
      for (let id = 0; id < 10; id++) a.broadcastNowait(Order, { id })
      const ids: number[] = []
      for await (const { payload, origin } of stream) {
        expect(origin).to.equal('a')
        ids.push(payload.id)
      }
      expect(ids).to.deep.equal([0, 1, 2])
      await until(() => a.peers[0]?.subscriptions.length === 0)
    })

    it('unsubscribes on break', async () => {
      const a = await bus.start('a')
      const stream = a.stream(Order)
      a.broadcastNowait(Order, { id: 1 })
      for await (const event of stream) {
        expect(event.payload.id).to.equal(1)
        break
      }
      expect(await a.broadcast(Order, { id: 2 })).to.equal(0)
    })

    it('ends when the endpoint closes, after the events that have arrived', async () => {
      const a = await bus.start('a')
      const stream = a.stream(Order)
      a.broadcastNowait(Order, { id: 1 })
      a.broadcastNowait(Order, { id: 2 })
      const closing = a.close()
      const events: Event<{ id: number }>[] = []
      for await (const event of stream) events.push(event)
      await closing
      expect(events.map(({ payload }) => payload.id)).to.deep.equal([1, 2])
    })

    it('throws AbortError when its signal aborts', async () => {
      const a = await bus.start('a')
      const abort = new AbortController()
      const waiting = a.stream(Order, { signal: abort.signal }).next()
      const later = a.stream(Order, { signal: abort.signal })
      abort.abort(new Error('enough'))
      expect(await rejection(waiting)).to.include({ code: 'LAHJA_ABORTED' })
      expect(await rejection(later.next())).to.include({ code: 'LAHJA_ABORTED' })
      expect(await later.next()).to.deep.equal({ done: true, value: undefined })
      expect(await a.broadcast(Order, { id: 1 })).to.equal(0)
    })

    for (const limit of [0, -1, 1.5, Number.NaN]) {
      it(`throws InvalidArgument for a limit of ${limit}`, async () => {
        const a = await bus.start('a')
        expect(await rejection(() => a.stream(Order, { limit }))).to.include({ code: 'LAHJA_INVALID_ARGUMENT' })
      })
    }
  })

  describe('waitFor and waitUntilConnectionsChange', () => {
    it('end with their event, on timeout, on abort or on close', async () => {
      const a = await bus.start('a')
      const event = a.waitFor(Order)
      a.broadcastNowait(Order, { id: 1 })
      expect((await event).payload).to.deep.equal({ id: 1 })
      const late = await rejection(a.waitFor(Order, { timeout: 5 }))
      expect(late).to.include({ code: 'LAHJA_WAIT_TIMEOUT' })
      expect(late.message).to.contain('waitFor order.placed').and.contain('5 ms')
      const aborted = await rejection(a.waitFor(Order, { signal: AbortSignal.abort(new Error('enough')) }))
      expect(aborted).to.include({ code: 'LAHJA_ABORTED' })
      expect(aborted.cause).to.have.property('message', 'enough')
      const pending = [a.waitFor(Order), a.waitUntilConnectedTo('nobody'), a.waitUntilConnectionsChange()]
      const errors = pending.map((wait) => rejection(wait))
      await a.close()
      for (const error of await Promise.all(errors)) expect(error).to.include({ code: 'LAHJA_ENDPOINT_CLOSED' })
    })

    it('leave no subscription behind', async () => {
      const a = await bus.start('a')
      await rejection(a.waitFor(Order, { timeout: 1 }))
      expect(await a.broadcast(Order, { id: 1 })).to.equal(0)
    })

    it('see connections come and go', async () => {
      const a = await bus.start('a')
      const connected = a.waitUntilConnectedTo(['b', 'c'])
      const first = a.waitUntilConnectionsChange()
      const b = await bus.start('b')
      await first
      await bus.start('c')
      await connected
      const change = a.waitUntilConnectionsChange()
      await b.close()
      await change
      expect(a.isConnectedTo('b')).to.equal(false)
    })
  })

  describe('membership', () => {
    it('emits joined and left for peers', async () => {
      const a = await bus.start('a')
      const joined = next(a, 'joined')
      const b = await bus.start('b', { groups: ['web'] })
      expect(await joined).to.deep.include({ name: 'b', id: b.id, groups: ['web'], state: 'connected' })
      const left = next(a, 'left')
      await b.close()
      expect(await left).to.include({ name: 'b', id: b.id })
      expect(a.peers).to.deep.equal([])
    })

    it('G9: finds peers without a watcher, and again after the directory was emptied', async () => {
      const limits = { rescanInterval: 50 }
      const a = await bus.start('a', { watch: false, limits })
      for (const file of readdirSync(bus.directory)) rmSync(join(bus.directory, file))
      await until(() => readdirSync(bus.directory).length === 1)
      const b = await bus.start('b', { watch: false, limits })
      expect(b.isConnectedTo('a')).to.equal(true)
      await a.waitUntilConnectedTo('b')
    })

    it('G9: finds at its next scan a peer that joined while its own file was missing', async () => {
      const rescans = new HeldTimers(RESCAN)
      const a = await bus.startBy(rescans, 'a', { watch: false, limits: { rescanInterval: RESCAN } })
      for (const file of readdirSync(bus.directory)) rmSync(join(bus.directory, file))
      const b = await bus.start('b', { watch: false, limits: { rescanInterval: RESCAN } })
      expect(b.isConnectedTo('a')).to.equal(false)
      rescans.goOff()
      await a.waitUntilConnectedTo('b')
    })

    it('survives the removal of its directory by publishing again', async () => {
      const limits = { rescanInterval: 50 }
      await bus.start('a', { limits })
      rmSync(bus.directory, { recursive: true })
      await until(() => {
        try {
          return readdirSync(bus.directory).length === 1
        } catch {
          return false
        }
      })
      const b = await bus.start('b', { limits })
      expect(b.isConnectedTo('a')).to.equal(true)
    })

    it('closes with NameInUse when another endpoint took its name while its file was missing', async () => {
      const rescans = new HeldTimers(RESCAN)
      const a = await bus.startBy(rescans, 'a', { watch: false, limits: { rescanInterval: RESCAN } })
      const lost = next(a, 'error')
      for (const file of readdirSync(bus.directory)) rmSync(join(bus.directory, file))
      await bus.start('a')
      rescans.goOff()
      expect(await lost).to.include({ code: 'LAHJA_NAME_IN_USE' })
      await until(() => readdirSync(bus.directory).length === 1)
      expect(await rejection(a.broadcast('x'))).to.include({ code: 'LAHJA_ENDPOINT_CLOSED' })
    })
  })

  describe('close', () => {
    it('G12: delivers accepted events, then says goodbye, and leaves no file', async () => {
      const { a, b } = await bus.startAll('a', 'b')
      const log = await payloadsAt(b, 'n')
      b.on('left', (peer: Peer) => log.push(`${peer.name} left`))
      b.on('lost', () => log.push('lost'))
      for (let n = 0; n < 5000; n++) a.broadcastNowait('n', n)
      await a.close()
      await until(() => log.length > 5000)
      expect(log).to.deep.equal([...Array(5000).keys(), 'a left'])
      expect(readdirSync(bus.directory)).to.deep.equal([`b~${b.id}.sock`])
    })

    it('is idempotent, and makes later calls reject with EndpointClosed', async () => {
      const a = await bus.start('a')
      const closed = a.close()
      expect(a.close()).to.equal(closed)
      await closed
      const attempts = [
        a.broadcast('x', 1),
        () => a.broadcastNowait('x', 1),
        () => a.subscribe('x', () => {}),
        () => a.stream('x'),
        a.waitFor('x'),
        a.waitUntilConnectedTo('b'),
        a.drained(),
      ]
      for (const attempt of attempts) {
        const error = await rejection(attempt)
        expect(error).to.include({ code: 'LAHJA_ENDPOINT_CLOSED' })
        expect(error.message).to.contain('endpoint a')
      }
    })

    it('is called by await using', async () => {
      const b = await bus.start('b')
      {
        await using a = await Endpoint.start({ name: 'a', directory: bus.directory })
        await b.waitUntilConnectedTo('a')
        expect(a.name).to.equal('a')
      }
      await until(() => b.peers.length === 0)
      expect(readdirSync(bus.directory)).to.deep.equal([`b~${b.id}.sock`])
    })

    it('empties the list of peers', async () => {
      const { a } = await bus.startAll('a', 'b')
      await a.close()
      expect(a.peers).to.deep.equal([])
      expect(a.isConnectedTo('b')).to.equal(false)
    })

    it('can be called on two linked endpoints at once', async () => {
      const { a, b } = await bus.startAll('a', 'b')
      await Promise.all([a.close(), b.close()])
      expect(readdirSync(bus.directory)).to.deep.equal([])
    })

    it('can be called from a handler', async () => {
      const { a, b } = await bus.startAll('a', 'b')
      const done = new Promise<void>((resolve) => {
        b.subscribe('stop', async () => {
          await b.close()
          resolve()
        })
      })
      await until(() => a.peers[0]?.subscriptions.length === 1)
      await a.broadcast('stop')
      await done
    })
  })
})
