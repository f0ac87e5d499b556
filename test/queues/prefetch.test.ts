import { expect } from 'chai'
import { Prefetch } from '../../src/queues/prefetch'

describe('Prefetch', () => {
  it('is one event, before any has been handled', () => {
    expect(new Prefetch().events).to.equal(1)
  })

  it('is as many events as are handled in 10 ms', () => {
    for (const [events, elapsed, expected] of [
      [1, 2, 5],
      [10, 10, 10],
      [1, 10, 1],
      [1, 10.1, 0],
      [1, 60_000, 0],
      [100, 1, 1000],
    ] as const) {
      const prefetch = new Prefetch()
      prefetch.onHandled(events, elapsed)
      expect(prefetch.events, `${events} in ${elapsed} ms`).to.equal(expected)
    }
  })

  it('is two thousand events at most, also of those that take no time', () => {
    const prefetch = new Prefetch()
    prefetch.onHandled(1000, 0)
    expect(prefetch.events).to.equal(2000)
  })

  it('is less when events take longer twice, and more bit by bit when they take less', () => {
    const prefetch = new Prefetch()
    prefetch.onHandled(1000, 1)
    prefetch.onHandled(1, 100)
    expect(prefetch.events, 'once').to.equal(2000)
    prefetch.onHandled(1, 100)
    expect(prefetch.events, 'twice').to.equal(0)
    let rounds = 0
    for (; prefetch.events < 2000; rounds++) prefetch.onHandled(1000, 1)
    expect(rounds).to.be.within(5, 20)
  })

  it('is less at once when an event has been handled for long', () => {
    const prefetch = new Prefetch()
    prefetch.onHandled(1000, 1)
    prefetch.onStalled(50)
    expect(prefetch.events).to.equal(0)
  })
})
