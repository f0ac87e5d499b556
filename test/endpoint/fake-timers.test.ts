import { expect } from 'chai'
import { defineRequest, type Endpoint } from '../../src'
import { freshBus, until } from '../support/bus'

const Ask = defineRequest<number, number>('ask')

/** What frameworks fake, replaced by functions that never call back. Node itself needs the real `nextTick`. */
function fakeTimers(): () => void {
  const real = { setTimeout, setImmediate, setInterval, clearTimeout, queueMicrotask }
  const { hrtime } = process
  const stop: typeof hrtime = Object.assign((): [number, number] => [0, 0], { bigint: () => 0n })
  Object.assign(
    globalThis,
    Object.fromEntries(Object.keys(real).map((name) => [name, () => ({ unref() {}, ref() {} })])),
  )
  process.hrtime = stop
  return () => {
    Object.assign(globalThis, real)
    process.hrtime = hrtime
  }
}

describe('Fake timers', () => {
  const bus = freshBus()

  for (const when of ['before', 'after'] as const) {
    it(`that are set ${when} endpoints start stop neither events nor requests`, async () => {
      const early = when === 'after' ? await Promise.all([bus.start('a'), bus.start('b')]) : undefined
      const restore = fakeTimers()
      try {
        const [a, b]: readonly Endpoint[] = early ?? [await bus.start('a'), await bus.start('b')]
        if (!a || !b) throw new Error('expected two endpoints')
        await a.waitUntilConnectedTo('b')
        await b.respond(Ask, ({ payload }) => payload + 1).ready
        const got: Promise<unknown>[] = [a.waitFor('tick'), b.waitFor('tick')]
        await a.waitUntilEndpointSubscribedTo('b', 'tick')
        for (let count = 0; count < 3; count++) await a.broadcast('tick', count)
        await Promise.all(got)
        expect(await a.request(Ask, 1, { timeout: 60_000 })).to.equal(2)
        await b.close()
      } finally {
        restore()
      }
    })
  }

  it('leave nothing waiting for them: what is sent while they are set and what is sent after that arrive', async () => {
    const { a, b } = await bus.startAll('a', 'b')
    const got: unknown[] = []
    for (const each of [a, b]) await each.subscribe('tick', ({ payload }) => got.push(payload)).ready
    await b.respond(Ask, ({ payload }) => payload + 1).ready
    const restore = fakeTimers()
    const meanwhile = [
      a.broadcast('tick', 1),
      a.request(Ask, 1, { timeout: 60_000 }),
      a.request(Ask, 2, { timeout: 1 }),
    ]
    restore()
    expect(await Promise.allSettled(meanwhile)).to.have.length(3)
    await a.broadcast('tick', 2)
    expect(await a.request(Ask, 3)).to.equal(4)
    await until(() => got.length === 4)
    expect(got.filter((payload) => payload === 1)).to.have.length(2)
  })
})
