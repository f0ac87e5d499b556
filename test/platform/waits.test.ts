import { getEventListeners } from 'node:events'
import { expect } from 'chai'
import { AbortError, EndpointClosed, RequestTimeout, WaitTimeout } from '../../src/model/errors'
import { Deadline } from '../../src/platform/deadline'
import { type Waiter, Waits } from '../../src/platform/waits'
import { ManualClock } from '../support/manual-clock'
import { rejection } from '../support/rejection'
import { throwing } from '../support/throwing'
import { unhandledDuring } from '../support/unhandled'

const TURN = 'still waiting at the end of the turn'

/** What a wait has come to by the end of the turn. */
function now<Value>(wait: Promise<Value>): Promise<Value | typeof TURN> {
  return Promise.race([wait, new Promise<typeof TURN>((resolve) => setImmediate(resolve, TURN))])
}

describe('Waits', () => {
  let clock: ManualClock
  let waits: Waits
  let stopped: number
  let waiters: Waiter<string>[]

  beforeEach(() => {
    clock = new ManualClock()
    waits = new Waits(clock)
    stopped = 0
    waiters = []
  })

  /** A start that hands the waiter out and counts how often it is stopped. */
  const start = (waiter: Waiter<string>) => {
    waiters.push(waiter)
    return () => void stopped++
  }

  /** How many of the signal's listeners are left. */
  const listeners = (signal: AbortSignal) => getEventListeners(signal, 'abort').length

  /** So many waits have been stopped, and no timer and no listener of the signal is left. */
  function expectReleased(times: number, signal?: AbortSignal): void {
    expect(stopped).to.equal(times)
    expect(clock.pending).to.equal(0)
    if (signal) expect(listeners(signal)).to.equal(0)
  }

  describe('wait', () => {
    it('takes an infinite timeout for none, and refuses what no timer takes', async () => {
      expect(await now(waits.wait('x', { timeout: Number.POSITIVE_INFINITY }, start))).to.equal(TURN)
      clock.advance(2 ** 31)
      expect(stopped).to.equal(0)
      for (const timeout of [Number.NaN, -1, 2 ** 31]) {
        expect(await rejection(waits.wait('x', { timeout }, start))).to.include({ code: 'LAHJA_INVALID_ARGUMENT' })
      }
      expect(waiters).to.have.length(1)
    })

    it('leaves nothing behind when its start throws', async () => {
      const abort = new AbortController()
      const wait = waits.wait('x', { timeout: 100, signal: abort.signal }, throwing(new EndpointClosed('no start')))
      expect(await rejection(wait)).to.be.instanceOf(EndpointClosed)
      expect(listeners(abort.signal)).to.equal(0)
      clock.advance(200)
    })

    it('ends with what its waiter is given, and stops what it has started, once', async () => {
      const wait = waits.wait('x', { timeout: 100 }, start)
      expect(await now(wait)).to.equal(TURN)
      expect(stopped).to.equal(0)
      waiters[0]?.resolve('value')
      expect(await wait).to.equal('value')
      expectReleased(1)
    })

    it('ends although what stops it throws', async () => {
      const throwing = waits.wait<string>('x', { timeout: 100 }, (waiter) => {
        waiters.push(waiter)
        return () => {
          throw new RangeError('by its stop')
        }
      })
      expect(() => waiters[0]?.resolve('answer')).to.throw(RangeError)
      expect(await now(throwing)).to.equal('answer')
      expect(clock.pending).to.equal(0)
    })

    it('ends with the error its waiter is given', async () => {
      const wait = waits.wait('x', {}, start)
      waiters[0]?.reject(new EndpointClosed('gone'))
      expect(await rejection(wait)).to.be.instanceOf(EndpointClosed)
      expect(stopped).to.equal(1)
    })

    it('takes an answer that comes at once, and stops all the same', async () => {
      const wait = waits.wait<string>('x', { timeout: 100 }, (waiter) => {
        waiter.resolve('at once')
        return () => void stopped++
      })
      expect(await wait).to.equal('at once')
      expectReleased(1)
    })

    it('rejects at its timeout, not before, and says what was waited for and how long', async () => {
      const wait = waits.wait('waitFor tick', { timeout: 100 }, start)
      clock.advance(99)
      expect(await now(wait)).to.equal(TURN)
      clock.advance(1)
      const error = await rejection(wait)
      expect(error).to.be.instanceOf(WaitTimeout)
      expect(error.message).to.equal('waitFor tick: timed out after 100 ms')
      expectReleased(1)
    })

    it('rejects at its timeout with the error that it was told to make of it', async () => {
      const { signal } = new AbortController()
      const timedOut = (message: string) => new RequestTimeout(message)
      const wait = waits.wait('request order.get', { timeout: 100, signal, timedOut }, start)
      clock.advance(100)
      const error = await rejection(wait)
      expect(error).to.be.instanceOf(RequestTimeout)
      expect(error.message).to.equal('request order.get: timed out after 100 ms')
      expect(stopped).to.equal(1)
      expect(listeners(signal)).to.equal(0)
    })

    it('ends with what arrives in the turn of its timer, as the process may have been stopped', async () => {
      const wait = waits.wait('x', { timeout: 100 }, start)
      clock.stall(5000)
      waiters[0]?.resolve('arrived')
      clock.turn()
      expect(await wait).to.equal('arrived')
      expectReleased(1)
    })

    it('makes no error of a timeout that is not reached', async () => {
      const controller = new AbortController()
      const timedOut = (message: string) => expect.fail(message)
      const options = { timeout: 100, signal: controller.signal, timedOut }
      const outcomes = [waits.wait('x', options, start), waits.wait('y', options, start)]
      waiters[0]?.resolve('in time')
      controller.abort()
      clock.advance(100)
      expect(await outcomes[0]).to.equal('in time')
      expect(await rejection(Promise.resolve(outcomes[1]))).to.be.instanceOf(AbortError)
    })

    it('without a timeout waits as long as it takes', async () => {
      const wait = waits.wait('x', {}, start)
      expect(clock.pending).to.equal(0)
      clock.advance(1e12)
      expect(await now(wait)).to.equal(TURN)
      waiters[0]?.resolve('late')
      expect(await wait).to.equal('late')
    })

    it('ends by its signal, with the reason as the cause', async () => {
      const controller = new AbortController()
      const wait = waits.wait('waitFor tick', { timeout: 100, signal: controller.signal }, start)
      const reason = new Error('enough')
      controller.abort(reason)
      const error = await rejection(wait)
      expect(error).to.be.instanceOf(AbortError)
      expect(error.message).to.equal('waitFor tick: aborted')
      expect(error.cause).to.equal(reason)
      expectReleased(1, controller.signal)
    })

    it('does not even start where the signal has been aborted before', async () => {
      const reason = new Error('enough')
      const error = await rejection(waits.wait('x', { timeout: 100, signal: AbortSignal.abort(reason) }, start))
      expect(error).to.be.instanceOf(AbortError)
      expect(error.cause).to.equal(reason)
      expect(waiters).to.have.lengthOf(0)
      expect(clock.pending).to.equal(0)
    })

    it('leaves nothing at a signal that outlives it, however it ends', async () => {
      const { signal } = new AbortController()
      const outcomes = ['resolve', 'reject', 'timeout'].map((_) => waits.wait('x', { timeout: 100, signal }, start))
      expect(listeners(signal)).to.equal(1)
      waiters[0]?.resolve('value')
      waiters[1]?.reject(new EndpointClosed('gone'))
      clock.advance(100)
      await Promise.allSettled(outcomes)
      expect(listeners(signal)).to.equal(0)
      expect(stopped).to.equal(3)
    })

    it('takes the first answer only', async () => {
      const controller = new AbortController()
      const wait = waits.wait('x', { timeout: 100, signal: controller.signal }, start)
      waiters[0]?.resolve('first')
      waiters[0]?.resolve('second')
      waiters[0]?.reject(new EndpointClosed('third'))
      controller.abort()
      clock.advance(100)
      waits.end(new EndpointClosed('fifth'))
      expect(await wait).to.equal('first')
      expect(stopped).to.equal(1)
    })

    it('can be ended by what stops another one', async () => {
      const first = waits.wait<string>('first', {}, (waiter) => {
        waiters.push(waiter)
        return () => waiters[1]?.resolve('second, by the first')
      })
      const second = waits.wait('second', {}, start)
      waiters[0]?.resolve('first')
      expect(await Promise.all([first, second])).to.deep.equal(['first', 'second, by the first'])
    })
  })

  describe('until', () => {
    it('resolves at once where the condition holds, and leaves nothing behind', async () => {
      let asked = 0
      await waits.until('x', { timeout: 100 }, () => ++asked > 0)
      waits.changed()
      expect(asked).to.equal(1)
      expect(clock.pending).to.equal(0)
    })

    it('looks again at every change, until the condition holds', async () => {
      let [asked, holds] = [0, false]
      const wait = waits.until('x', {}, () => {
        asked++
        return holds
      })
      waits.changed()
      expect(await now(wait)).to.equal(TURN)
      holds = true
      expect(await now(wait)).to.equal(TURN)
      waits.changed()
      await wait
      waits.changed()
      expect(asked).to.equal(3)
    })

    it('looks no more after its timeout', async () => {
      let asked = 0
      const wait = waits.until('waitUntilConnectedTo till', { timeout: 50 }, () => ++asked > 1000)
      clock.advance(50)
      expect((await rejection(wait)).message).to.equal('waitUntilConnectedTo till: timed out after 50 ms')
      waits.changed()
      expect(asked).to.equal(1)
    })

    it('resolves every wait whose condition holds, and only those', async () => {
      let count = 0
      const outcomes = [1, 2, 3].map((wanted) => waits.until(`${wanted}`, {}, () => count >= wanted))
      count = 2
      waits.changed()
      expect(await Promise.all(outcomes.map(now))).to.deep.equal([undefined, undefined, TURN])
    })
  })

  describe('settle', () => {
    it('resolves and rejects like the promise', async () => {
      expect(await waits.settle('x', {}, Promise.resolve('value'))).to.equal('value')
      const error = new EndpointClosed('gone')
      expect(await rejection(waits.settle('x', {}, Promise.reject(error)))).to.equal(error)
    })

    it('does not wait longer than its timeout', async () => {
      const wait = waits.settle('drained', { timeout: 10 }, new Promise(() => {}))
      clock.advance(10)
      expect(await rejection(wait)).to.be.instanceOf(WaitTimeout)
    })

    it('lets a promise reject late without anybody noticing', async () => {
      let fail = (_: Error): void => {}
      const promise = new Promise<void>((_, reject) => {
        fail = reject
      })
      const wait = waits.settle('x', { timeout: 10 }, promise)
      clock.advance(10)
      expect(await rejection(wait)).to.be.instanceOf(WaitTimeout)
      const unhandled = await unhandledDuring(() => fail(new Error('late')))
      expect(unhandled).to.deep.equal([])
    })
  })

  describe('reached', () => {
    it('tells that the condition held at once, and leaves nothing behind', async () => {
      expect(await waits.reached(new Deadline(clock, 100), () => true)).to.equal(true)
      expect(clock.pending).to.equal(0)
    })

    it('tells that the condition came to hold at a change before the deadline', async () => {
      let holds = false
      const reached = waits.reached(new Deadline(clock, 100), () => holds)
      waits.changed()
      expect(await now(reached)).to.equal(TURN)
      holds = true
      waits.changed()
      expect(await reached).to.equal(true)
      expect(clock.pending).to.equal(0)
    })

    it('tells that the deadline came first, and checks no more', async () => {
      let checks = 0
      const reached = waits.reached(new Deadline(clock, 100), () => ++checks > 1000)
      clock.advance(100)
      expect(await reached).to.equal(false)
      waits.changed()
      expect(checks).to.equal(1)
    })

    it('sets no timer for a deadline that is infinitely far away', async () => {
      let holds = false
      const reached = waits.reached(new Deadline(clock, Number.POSITIVE_INFINITY), () => holds)
      expect(clock.pending).to.equal(0)
      holds = true
      waits.changed()
      expect(await reached).to.equal(true)
    })

    it('goes on when all other waits are ended', async () => {
      let holds = false
      const reached = waits.reached(new Deadline(clock, 100), () => holds)
      waits.end(new EndpointClosed('closed'))
      holds = true
      waits.changed()
      expect(await reached).to.equal(true)
    })
  })

  describe('fulfilled', () => {
    it('takes what arrives in the turn of its deadline for in time, as the process may have been stopped', async () => {
      let arrive = () => {}
      const arrival = new Promise<void>((resolve) => {
        arrive = resolve
      })
      const fulfilled = waits.fulfilled(new Deadline(clock, 100), arrival)
      clock.stall(5000)
      arrive()
      await arrival
      clock.turn()
      expect(await fulfilled).to.equal(true)
    })

    it('tells whether the promise was fulfilled before the deadline', async () => {
      const deadline = new Deadline(clock, 100)
      expect(await waits.fulfilled(deadline, Promise.resolve('value'))).to.equal(true)
      expect(await waits.fulfilled(deadline, Promise.reject(new Error('broken')))).to.equal(false)
      const late = waits.fulfilled(deadline, new Promise(() => {}))
      clock.advance(100)
      expect(await late).to.equal(false)
      expect(clock.pending).to.equal(0)
    })
  })

  describe('end', () => {
    it('rejects all that waits, and stops it', async () => {
      const { signal } = new AbortController()
      const outcomes = [
        waits.wait('x', { timeout: 100, signal }, start),
        waits.until('y', { timeout: 100, signal }, () => false),
        waits.settle('z', { timeout: 100, signal }, new Promise(() => {})),
      ]
      const closed = new EndpointClosed('closed')
      waits.end(closed)
      for (const outcome of outcomes) expect(await rejection(outcome)).to.equal(closed)
      expectReleased(1, signal)
    })

    it('rejects whatever comes later, and starts nothing', async () => {
      const closed = new EndpointClosed('closed')
      waits.end(closed)
      expect(await rejection(waits.wait('x', { timeout: 100 }, start))).to.equal(closed)
      expect(await rejection(waits.until('y', {}, () => true))).to.equal(closed)
      expect(waiters).to.have.lengthOf(0)
      expect(clock.pending).to.equal(0)
    })
  })
})
