import { expect } from 'chai'
import { PendingRequests } from '../../src/requests/pending-requests'
import { WaitingList } from '../../src/requests/waiting-list'
import { RecordingChannel } from '../support/recording-channel'

describe('Line', () => {
  let line: WaitingList<number, string>

  beforeEach(() => {
    line = new WaitingList()
  })

  const at = (place: string) => [...line.at(place)]

  it('has those who wait for a place in the order in which they joined', () => {
    line.join(1, ['a', 'b'])
    line.join(2, ['b'])
    line.join(3, ['a'])
    expect([at('a'), at('b'), at('c'), [...line.all]]).to.deep.equal([[1, 3], [1, 2], [], [1, 2, 3]])
  })

  it('lets who joins again keep its turn, for other places', () => {
    line.join(1, ['a', 'b'])
    line.join(2, ['a', 'b'])
    line.join(1, ['a', 'c'])
    expect([at('a'), at('b'), at('c'), [...line.all]]).to.deep.equal([[1, 2], [2], [1], [1, 2]])
  })

  it('has nothing of who has left', () => {
    line.join(1, ['a', 'b'])
    line.join(2, ['a'])
    line.leave(1)
    line.leave(1)
    line.leave(3)
    expect([at('a'), at('b'), [...line.all]]).to.deep.equal([[2], [], [2]])
  })
})

describe('Requests in line', () => {
  it('for a responder that is busy are not looked at when another has answered (G8)', () => {
    const [busy, ready] = ['busy', 'ready'].map(
      (name) => new RecordingChannel(name, { limits: { pendingRequests: 1 } }),
    )
    if (!busy || !ready) return expect.fail()
    const requests = new PendingRequests({ responders: () => [busy, ready] })
    let looks = 0
    const candidates = () => {
      looks++
      return [busy]
    }
    for (let count = 0; count < 100; count++) requests.ask('a', 'x', candidates, () => {})
    for (let id = 101; id <= 110; id++) {
      requests.ask(
        'a',
        'y',
        () => [ready],
        () => {},
      )
      requests.onMessage(ready, { kind: 'response', id, payload: 'ok' })
    }
    expect(ready.told).to.have.lengthOf(10)
    expect(looks).to.equal(100)
    requests.onMessage(busy, { kind: 'response', id: 1, payload: 'ok' })
    expect(busy.told).to.have.lengthOf(2)
  })
})
