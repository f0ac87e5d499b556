import { expect } from 'chai'
import { a, b, c, member, talking } from '../support/interest-talk'

describe('InterestExchange learns', () => {
  it('what the peer wants and no longer wants, and says what of it is new', () => {
    const { exchange } = talking()
    expect(exchange.learn({ kind: 'subscribe', sequence: 1, interests: [a, b] })).to.deep.equal([a, b])
    expect([...exchange.theirs]).to.deep.equal([a, b])
    const never = { type: 'never' }
    expect(exchange.learn({ kind: 'unsubscribe', sequence: 5, interests: [a, never, a] })).to.deep.equal([a])
    expect(exchange.learn({ kind: 'subscribe', sequence: 5, interests: [b, c, c] })).to.deep.equal([c])
    expect(exchange.learn({ kind: 'subscribe', sequence: 6, interests: [] })).to.deep.equal([])
    expect([...exchange.theirs]).to.deep.equal([b, c])
  })

  it('every member of a queue, and each of them that leaves', () => {
    const { exchange } = talking()
    const twice = [member, member]
    expect(exchange.learn({ kind: 'subscribe', sequence: 1, interests: twice })).to.deep.equal(twice)
    expect([...exchange.theirs]).to.deep.equal(twice)
    expect(exchange.learn({ kind: 'unsubscribe', sequence: 2, interests: [member] })).to.deep.equal([member])
    expect([...exchange.theirs]).to.deep.equal([member])
    expect(exchange.learn({ kind: 'unsubscribe', sequence: 3, interests: twice })).to.deep.equal([member])
    expect([...exchange.theirs]).to.deep.equal([])
  })

  it('no more of an interest that is told twice, so that it is gone when it is taken back once', () => {
    const { exchange } = talking()
    for (const sequence of [1, 2]) exchange.learn({ kind: 'subscribe', sequence, interests: [a] })
    expect(exchange.learn({ kind: 'unsubscribe', sequence: 3, interests: [a] })).to.deep.equal([a])
    expect([...exchange.theirs]).to.deep.equal([])
  })

  it('to keep apart what differs in nothing but its origin, its queue or its kind', () => {
    const { exchange } = talking()
    const interests = [a, member, { type: 'a', from: ['shop'] }, { type: 'a', responds: true }]
    exchange.learn({ kind: 'subscribe', sequence: 1, interests })
    expect([...exchange.theirs]).to.deep.equal(interests)
    exchange.learn({ kind: 'unsubscribe', sequence: 2, interests: [a] })
    expect([...exchange.theirs]).to.deep.equal(interests.slice(1))
  })

  it('and acknowledges not before it is told to', () => {
    const { sent, exchange } = talking()
    exchange.learn({ kind: 'subscribe', sequence: 7, interests: [a] })
    expect(sent).to.deep.equal([])
    exchange.acknowledge(7)
    expect(sent).to.deep.equal([{ kind: 'acknowledge', sequence: 7 }])
  })

  it('nothing from its own announcements', () => {
    const { exchange } = talking()
    exchange.announce('subscribe', a)
    expect([...exchange.theirs]).to.deep.equal([])
  })
})
