import { setImmediate as turn } from 'node:timers/promises'
import { expect } from 'chai'
import { defineRequest, type Endpoint } from '../../src'
import { freshBus, until } from '../support/bus'

const Ask = defineRequest<number, number>('ask')

/** A good part of the window that a peer gives. */
const LARGE = Buffer.alloc(500_000)

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

  it('leave nothing waiting for them when the real ones are back', async () => {
    const { a, b } = await bus.startAll('a', 'b')
    let got = 0
    for (const each of [a, b]) await each.subscribe('tick', () => got++).ready
    await b.respond(Ask, ({ payload }) => payload + 1).ready
    const restore = fakeTimers()
    try {
      await a.broadcast('tick', LARGE)
      while (got < 2) await turn()
    } finally {
      restore()
    }
    for (let count = 0; count < 20; count++) await a.broadcast('tick', LARGE)
    await until(() => got === 42)
    expect(await a.request(Ask, 1)).to.equal(2)
  })
})
