import { expect } from 'chai'
import { Prefetch } from '../../src/queues/prefetch'

describe('Prefetch', () => {
  it('is one event, before any has been handled', () => {
    expect(new Prefetch().events).to.equal(1)
  })

  it('is as many events as are handled in 5 ms', () => {
    for (const [events, elapsed, expected] of [
      [1, 2, 2],
      [10, 10, 5],
      [1, 5, 1],
      [1, 5.1, 0],
      [1, 60_000, 0],
      [100, 1, 500],
    ] as const) {
      const prefetch = new Prefetch()
      prefetch.onHandled(events, elapsed)
      expect(prefetch.events, `${events} in ${elapsed} ms`).to.equal(expected)
    }
  })

  it('is a thousand events at most, also of those that take no time', () => {
    const prefetch = new Prefetch()
    prefetch.onHandled(1000, 0)
    expect(prefetch.events).to.equal(1000)
  })

  it('is less at once when events take longer, and more bit by bit when they take less', () => {
    const prefetch = new Prefetch()
    prefetch.onHandled(1000, 1)
    prefetch.onHandled(1, 100)
    expect(prefetch.events).to.equal(0)
    let rounds = 0
    for (; prefetch.events < 1000; rounds++) prefetch.onHandled(1000, 1)
    expect(rounds).to.be.within(10, 50)
  })
})
