import { expect } from 'chai'
import { a, b, c, member, talking } from '../support/interest-talk'

describe('InterestExchange, from the peer,', () => {
  it('applies subscribes and unsubscribes, and returns the effective part', () => {
    const { exchange } = talking()
    expect(exchange.apply({ kind: 'subscribe', sequence: 1, interests: [a, b] })).to.deep.equal([a, b])
    expect([...exchange.theirs]).to.deep.equal([a, b])
    const never = { type: 'never' }
    expect(exchange.apply({ kind: 'unsubscribe', sequence: 5, interests: [a, never, a] })).to.deep.equal([a])
    expect(exchange.apply({ kind: 'subscribe', sequence: 5, interests: [b, c, c] })).to.deep.equal([c])
    expect(exchange.apply({ kind: 'subscribe', sequence: 6, interests: [] })).to.deep.equal([])
    expect([...exchange.theirs]).to.deep.equal([b, c])
  })

  it('counts every member of a queue', () => {
    const { exchange } = talking()
    const twice = [member, member]
    expect(exchange.apply({ kind: 'subscribe', sequence: 1, interests: twice })).to.deep.equal(twice)
    expect([...exchange.theirs]).to.deep.equal(twice)
    expect(exchange.apply({ kind: 'unsubscribe', sequence: 2, interests: [member] })).to.deep.equal([member])
    expect([...exchange.theirs]).to.deep.equal([member])
    expect(exchange.apply({ kind: 'unsubscribe', sequence: 3, interests: twice })).to.deep.equal([member])
    expect([...exchange.theirs]).to.deep.equal([])
  })

  it('counts an interest that is sent twice once, so one unsubscribe removes it', () => {
    const { exchange } = talking()
    for (const sequence of [1, 2]) exchange.apply({ kind: 'subscribe', sequence, interests: [a] })
    expect(exchange.apply({ kind: 'unsubscribe', sequence: 3, interests: [a] })).to.deep.equal([a])
    expect([...exchange.theirs]).to.deep.equal([])
  })

  it('distinguishes interests that differ only in origin, queue or kind', () => {
    const { exchange } = talking()
    const interests = [a, member, { type: 'a', from: ['shop'] }, { type: 'a', responds: true }]
    exchange.apply({ kind: 'subscribe', sequence: 1, interests })
    expect([...exchange.theirs]).to.deep.equal(interests)
    exchange.apply({ kind: 'unsubscribe', sequence: 2, interests: [a] })
    expect([...exchange.theirs]).to.deep.equal(interests.slice(1))
  })

  it('acknowledges a change only when told to', () => {
    const { sent, exchange } = talking()
    exchange.apply({ kind: 'subscribe', sequence: 7, interests: [a] })
    expect(sent).to.deep.equal([])
    exchange.acknowledge(7)
    exchange.acknowledge(8, false)
    expect(sent).to.deep.equal([
      { kind: 'acknowledge', sequence: 7, isComplete: undefined },
      { kind: 'acknowledge', sequence: 8, isComplete: false },
    ])
  })

  it('is not changed by its own announcements', () => {
    const { exchange } = talking()
    exchange.announce('subscribe', a)
    expect([...exchange.theirs]).to.deep.equal([])
  })
})
