import { expect } from 'chai'
import { DEFAULT_LIMITS } from '../../src/model/limits'
import { type Outcome, PendingRequests } from '../../src/requests/pending-requests'
import { WaitingList } from '../../src/requests/waiting-list'
import { RecordingChannel } from '../support/recording-channel'
import { stepsDuring } from '../support/steps'

describe('WaitingList', () => {
  let list: WaitingList<number, string>

  beforeEach(() => {
    list = new WaitingList()
  })

  const at = (place: string) => [...list.at(place)]

  it('lists the items of a place in the order in which they joined', () => {
    list.join(1, ['a', 'b'])
    list.join(2, ['b'])
    list.join(3, ['a'])
    expect([at('a'), at('b'), at('c'), [...list.all]]).to.deep.equal([[1, 3], [1, 2], [], [1, 2, 3]])
  })

  it('lets an item that joins again keep its turn, for other places', () => {
    list.join(1, ['a', 'b'])
    list.join(2, ['a', 'b'])
    list.join(1, ['a', 'c'])
    expect([at('a'), at('b'), at('c'), [...list.all]]).to.deep.equal([[1, 2], [2], [1], [1, 2]])
  })

  it('keeps nothing of an item that has left', () => {
    list.join(1, ['a', 'b'])
    list.join(2, ['a'])
    list.leave(1)
    list.leave(1)
    list.leave(3)
    expect([at('a'), at('b'), [...list.all]]).to.deep.equal([[2], [], [2]])
  })
})

describe('PendingRequests with waiting requests', () => {
  it('skips those of a busy responder when another has answered (G8)', () => {
    const [busy, ready] = ['busy', 'ready'].map(
      (name) => new RecordingChannel(name, { limits: { pendingRequests: 1 } }),
    )
    if (!busy || !ready) return expect.fail()
    const requests = new PendingRequests({ responders: () => [busy, ready] }, () => [], DEFAULT_LIMITS.frameBytes)
    const question = { isOrdered: false, waitsForResponder: false, settle: () => {} }
    let looks = 0
    const candidates = () => {
      looks++
      return [busy]
    }
    for (let count = 0; count < 100; count++) requests.ask(requests.encode('a', 'x'), { ...question, candidates })
    for (let id = 101; id <= 110; id++) {
      requests.ask(requests.encode('a', 'x'), { ...question, candidates: () => [ready] })
      requests.onMessage(ready, { kind: 'response', id, payload: 'ok' })
    }
    expect(ready.told).to.have.lengthOf(10)
    expect(looks).to.equal(100)
    requests.onMessage(busy, { kind: 'response', id: 1, payload: 'ok' })
    expect(busy.told).to.have.lengthOf(2)
  })

  it('costs a peer that begins or ceases to respond to another type nothing (G7)', async () => {
    const busy = new RecordingChannel('busy', { limits: { pendingRequests: 1 } })
    const requests = new PendingRequests({ responders: () => [busy] }, () => [], DEFAULT_LIMITS.frameBytes)
    const candidates = () => [busy]
    const question = { isOrdered: false, waitsForResponder: false, candidates, settle() {} }
    for (let count = 0; count < 10_000; count++) requests.ask(requests.encode('a', 'x'), question)
    const other = new RecordingChannel('other')
    const foreign = [{ type: 'b', responds: true }]
    expect(await stepsDuring(() => requests.onResponders(other, foreign))).to.be.below(10)
    expect(await stepsDuring(() => requests.onRespondersLeft(busy, foreign))).to.be.below(10)
    expect(await stepsDuring(() => requests.onResponders(other, []))).to.be.below(10)
  })

  it('looks only at the request whose wait for a responder is over, not at all that wait', () => {
    const requests = new PendingRequests({ responders: () => [] }, () => [], DEFAULT_LIMITS.frameBytes)
    const codes: string[] = []
    const settle = (outcome: Outcome) => codes.push('error' in outcome ? outcome.error.code : 'ok')
    let looks = 0
    const candidates = () => {
      looks++
      return []
    }
    const question = { isOrdered: false, waitsForResponder: true, candidates, settle }
    const asked = Array.from({ length: 100 }, () => requests.ask(requests.encode('a', 'x'), question))
    looks = 0
    for (const pending of asked) requests.stopWaiting(pending)
    expect(codes).to.deep.equal(Array(100).fill('LAHJA_NO_SUBSCRIBERS'))
    expect(looks).to.be.at.most(200)
  })
})
