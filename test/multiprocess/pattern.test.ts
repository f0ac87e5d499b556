import { expect } from 'chai'
import { DEALT } from '../support/members'
import { useBus } from './bus'
import type { RemoteEndpoint } from './remote-endpoint'

const PATTERNS = ['a', 'a.*', '*.b', '*', '*.*', 'a.*.b', 'a.>', '*.a.>', '>']

/** All names of up to three tokens `a` and `b`. */
const TYPES = ['a', 'b'].flatMap((one) => {
  const longer = ['a', 'b'].flatMap((two) => [`${one}.${two}`, `${one}.${two}.a`, `${one}.${two}.b`])
  return [one, ...longer]
})

/** Long enough that no ping is among the counted bytes. */
const NO_PINGS = { pingInterval: 600_000 }

describe('patterns across processes', () => {
  const bus = useBus()
  let sender: RemoteEndpoint

  beforeEach(async () => {
    sender = await bus.start('sender', { limits: NO_PINGS })
  })

  it('G2, G6: deliver exactly the matching types', async () => {
    const processes = await bus.processes.participants(3)
    const listeners = await Promise.all(
      PATTERNS.map(async (pattern, index) => {
        const process = processes[index % processes.length]
        if (!process) throw new Error('expected a process')
        const listener = await bus.startIn(process, `listener-${index}`)
        await listener.subscribe(pattern)
        await listener.subscribe('end')
        return { pattern, listener }
      }),
    )
    for (const [number, type] of TYPES.entries()) {
      const wanted = PATTERNS.filter((pattern) => standsFor(pattern, type))
      expect(await sender.broadcast(type, 1, number), type).to.equal(wanted.length)
    }
    await sender.broadcast('end')

    for (const { pattern, listener } of listeners) {
      await listener.untilReceived('end', 1)
      const expected = [...TYPES.entries()].filter(([, type]) => standsFor(pattern, type))
      for (const [number, type] of expected) {
        expect(await listener.received(type), `${pattern}: ${type}`).to.deep.equal([{ origin: 'sender', number }])
      }
      const { ended } = await listener.work(pattern)
      const isForEnd = pattern === '*' || pattern === '>'
      const numbers = expected.map(([number]) => number)
      expect(ended, pattern).to.deep.equal(isForEnd ? [...numbers, 0] : numbers)
    }
  })

  it('G3: send an event once, and deliver it once to each matching subscription', async () => {
    const listener = await bus.start('listener', { limits: NO_PINGS })
    for (const pattern of ['order.placed', 'order.*', 'order.>', '>']) await listener.subscribe(pattern)
    const bytesOf = async (number: number) => {
      const before = await listener.process.bytesRead()
      expect(await sender.broadcast('order.placed', 1, number)).to.equal(1)
      await listener.untilReceived('order.placed', 4 * (number + 1))
      return (await listener.process.bytesRead()) - before
    }
    const size = await bytesOf(0)
    for (const pattern of ['order.*', 'order.>', '>']) {
      await listener.unsubscribe(pattern)
      expect((await listener.work(pattern)).ended).to.deep.equal([0])
    }

    const before = await listener.process.bytesRead()
    expect(await sender.broadcast('order.placed', 1, 1)).to.equal(1)
    await listener.untilReceived('order.placed', 5)
    const once = (await listener.process.bytesRead()) - before
    expect(size, 'no more bytes for four subscriptions than for one').to.be.at.most(once)
  })

  it('G2: do not send a single byte of types that they do not match', async () => {
    const listener = await bus.start('listener', { limits: NO_PINGS })
    await listener.subscribe('order.*')
    await listener.subscribe('marker')
    const bytesAfterMarker = async (count: number) => {
      expect(await sender.broadcast('marker')).to.equal(1)
      await listener.untilReceived('marker', count)
      return listener.process.bytesRead()
    }
    const before = await bytesAfterMarker(1)
    const markerSize = (await bytesAfterMarker(2)) - before
    for (const type of ['order', 'order.placed.again', 'orders.placed']) {
      expect(await sender.broadcast(type, 100), type).to.equal(0)
    }
    const bytes = (await bytesAfterMarker(3)) - before - markerSize

    expect(markerSize).to.be.above(0)
    expect(bytes, 'bytes read up to the marker').to.equal(markerSize)
  })

  it('stop matching after unsubscribe', async () => {
    const listener = await bus.start('listener')
    await listener.subscribe('order.>')
    await listener.subscribe('order.placed')
    expect(await sender.broadcast('order.cancelled')).to.equal(1)
    await listener.untilReceived('order.cancelled', 1)

    await listener.unsubscribe('order.>')
    await sender.untilUnsubscribed('order.>')

    expect(await sender.broadcast('order.cancelled')).to.equal(0)
    expect(await sender.broadcast('order.placed', 1, 7)).to.equal(1)
    await listener.untilReceived('order.placed', 1)
    expect(await listener.received('order.cancelled')).to.have.lengthOf(1)
    expect(await listener.received('order.placed')).to.deep.equal([{ origin: 'sender', number: 7 }])
  })

  it('G4: keep the order of the sender across all matching types', async () => {
    const listener = await bus.start('listener')
    await listener.subscribe('tick.>')
    for (let number = 0; number < 300; number += 3) {
      await sender.broadcast('tick.a', 1, number)
      await sender.broadcast('tick.b.c', 1, number + 1)
      await sender.broadcast('tick.a', 1, number + 2)
    }
    await listener.untilWork('tick.>', { ended: 300 })
    const { ended } = await listener.work('tick.>')
    expect(ended).to.deep.equal(Array.from({ length: 300 }, (_, number) => number))
  })

  it('can be used with a queue', async () => {
    const workers = [await bus.start('one'), await bus.start('two')]
    for (const worker of workers) await worker.subscribe('job.*', { ...DEALT, manner: 'held' })
    for (let number = 0; number < 20; number++) {
      expect(await sender.broadcast(number % 2 === 0 ? 'job.even' : 'job.odd', 1, number)).to.equal(1)
    }
    const ended = []
    for (const worker of workers) {
      await worker.finishAll('job.*')
      await worker.untilWork('job.*', { ended: 10 })
      ended.push(...(await worker.work('job.*')).ended)
    }
    expect(ended.sort((one, other) => one - other)).to.deep.equal(Array.from({ length: 20 }, (_, number) => number))
  })
})

/** Pattern matching, implemented independently as a regular expression. */
function standsFor(pattern: string, type: string): boolean {
  const source = pattern.replaceAll('.', '\\.').replaceAll('*', '[^.]+').replace(/>$/, '.+')
  return new RegExp(`^${source}$`).test(type)
}
