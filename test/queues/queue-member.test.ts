import { expect } from 'chai'
import { QueueMember } from '../../src/queues/queue-member'
import type { Progress } from '../../src/wire/message'
import { placesOf, queueEvent } from '../support/queue-events'
import { RecordingChannel } from '../support/recording-channel'

describe('QueueMember', () => {
  let channel: RecordingChannel

  beforeEach(() => {
    channel = new RecordingChannel('till')
  })

  function memberOf(capacity: number, events = 0, mostBytes = 1_000_000): QueueMember {
    const member = new QueueMember('q', channel, 7, capacity, mostBytes)
    for (let place = 1; place <= events; place++) member.give(queueEvent(10 * place))
    return member
  }

  /** Returns the places of the events that the member has handled and returned. */
  function progress(member: QueueMember, news: Partial<Progress>, hasLeft = false) {
    const message = { member: 7, capacity: 3, begun: 0, handled: [], returned: [], ...news }
    const { handled, returned } = member.onProgress({ kind: 'progress', ...message }, hasLeft)
    return { handled: placesOf(handled), returned: placesOf(returned) }
  }

  it('is given events with its number, and theirs from 1 on', () => {
    const member = memberOf(3)
    member.give(queueEvent(10))
    member.give(queueEvent(20, { addressing: { to: 'till' } }))
    expect(channel.told).to.deep.equal([
      { kind: 'give', member: 7, number: 1, type: 'job', isFixed: false, payload: 10 },
      { kind: 'give', member: 7, number: 2, type: 'job', isFixed: true, payload: 20 },
    ])
  })

  it('has room up to its capacity, and again for what it has settled', () => {
    const member = memberOf(3, 2)
    expect([member.hasRoom, member.load]).to.deep.equal([true, 2])
    member.give(queueEvent(30))
    expect([member.hasRoom, member.load]).to.deep.equal([false, 3])
    expect(progress(member, { begun: 1, handled: [1, 1] })).to.deep.equal({ handled: [10], returned: [] })
    expect([member.hasRoom, member.load]).to.deep.equal([true, 2])
  })

  it('has done what it has handled or failed to, not what it gave back or was asked for', () => {
    const member = memberOf(100, 20)
    progress(member, { begun: 6, handled: [1, 4], failed: [5, 2], returned: [7, 8] })
    expect(member.done).to.equal(6)
    expect(placesOf(member.takeBack(20))).to.have.lengthOf(6)
    expect(member.done).to.equal(6)
    member.countFromNow()
    expect(member.done).to.equal(0)
  })

  it('has as much room as it says last', () => {
    const member = memberOf(3, 2)
    progress(member, { capacity: 2 })
    expect(member.hasRoom).to.equal(false)
    progress(member, { capacity: 5 })
    expect(member.hasRoom).to.equal(true)
    progress(member, { capacity: 0 })
    expect(member.hasRoom).to.equal(false)
  })

  it('has no room beyond its bytes, but for one event of any size', () => {
    const member = memberOf(100, 0, 5000)
    expect(member.hasRoom).to.equal(true)
    member.give(queueEvent(1, { filler: 20_000 }))
    expect(member.hasRoom).to.equal(false)
    progress(member, { capacity: 100, handled: [1, 1] })
    expect(member.hasRoom).to.equal(true)
  })

  it('never has more than 65,536 events, whatever it says', () => {
    const member = memberOf(Number.MAX_SAFE_INTEGER, 0, Number.POSITIVE_INFINITY)
    const event = queueEvent(1)
    const give = () => {
      while (member.hasRoom) member.give(event)
    }
    give()
    expect(member.load).to.equal(65_536)
    progress(member, { capacity: Number.MAX_SAFE_INTEGER, handled: [1, 10] })
    give()
    expect(member.load).to.equal(65_536)
  })

  it('has no room once its channel is closed, or it has left, whatever it says', () => {
    const member = memberOf(3)
    member.leave()
    expect(member.hasRoom).to.equal(false)
    progress(member, { capacity: 5 }, true)
    expect(member.hasRoom).to.equal(false)
    const other = memberOf(3)
    channel.outbox.close()
    expect(other.hasRoom).to.equal(false)
  })

  it('settles each event once', () => {
    const member = memberOf(5, 5)
    expect(progress(member, { handled: [1, 2], returned: [4, 2] })).to.deep.equal({
      handled: [10, 20],
      returned: [40, 50],
    })
    expect(progress(member, { handled: [1, 5], returned: [1, 5] })).to.deep.equal({ handled: [30], returned: [] })
    expect(member.load).to.equal(0)
  })

  it('settles nothing that it was not given', () => {
    const member = memberOf(5, 2)
    const most = Number.MAX_SAFE_INTEGER
    expect(progress(member, { begun: most, handled: [0, 1, 3, most], returned: [most, most] })).to.deep.equal({
      handled: [],
      returned: [],
    })
    expect(member.load).to.equal(2)
  })

  it('leaves what it had begun and what it had not, without what it had settled', () => {
    const member = memberOf(6, 6)
    progress(member, { begun: 3, handled: [2, 1], returned: [5, 1] })
    progress(member, { begun: 1 })
    const { begun, notBegun } = member.close()
    expect([placesOf(begun), placesOf(notBegun)]).to.deep.equal([
      [10, 30],
      [40, 60],
    ])
    expect([member.load, member.hasRoom]).to.deep.equal([0, false])
  })
})
