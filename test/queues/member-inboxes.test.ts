import { expect } from 'chai'
import type { Receipt } from '../../src/channel/receive-window'
import type { Event } from '../../src/model/event'
import { MemberInboxes } from '../../src/queues/member-inboxes'
import type { Delivery } from '../../src/wire/message'
import { ManualClock } from '../support/manual-clock'
import { RecordingChannel } from '../support/recording-channel'

const JOB = { type: 'job', queue: 'q' }

describe('MemberInboxes', () => {
  let clock: ManualClock
  let shop: RecordingChannel
  let inboxes: MemberInboxes
  let idle: number
  let begun: unknown[]
  let running: Receipt[]

  beforeEach(() => {
    clock = new ManualClock()
    shop = new RecordingChannel('shop')
    idle = 0
    begun = []
    running = []
    inboxes = new MemberInboxes({
      clock,
      hasOthers: () => true,
      isShared: () => true,
      admits: () => true,
      report: () => {},
      idle: () => idle++,
    })
  })

  function consumption(handle: (event: Event, receipt: Receipt) => void) {
    return { concurrency: 1, isAdaptive: false, handle, takeBack: () => {} }
  }

  /** Opens the inbox of a new member. Returns its number. */
  function join(capacity = 5): number {
    const interest = inboxes.joined({ ...JOB, capacity })
    inboxes.open(
      interest,
      consumption(({ payload }, receipt) => {
        begun.push(payload)
        running.push(receipt)
      }),
    )
    return interest.member ?? 0
  }

  const delivery = (member: number, number: number): Delivery => {
    return { kind: 'give', member, number, type: 'job', isFixed: false, payload: `${member}.${number}` }
  }

  it('number the members that say how many events they take', () => {
    expect(inboxes.joined(JOB)).to.deep.equal(JOB)
    expect([inboxes.joined({ ...JOB, capacity: 3 }), inboxes.joined({ ...JOB, capacity: 0 })]).to.deep.equal([
      { ...JOB, capacity: 3, member: 1 },
      { ...JOB, capacity: 0, member: 2 },
    ])
  })

  it('open none for a member that does not say it', () => {
    expect(
      inboxes.open(
        JOB,
        consumption(() => {}),
      ),
    ).to.equal(undefined)
    expect(
      inboxes.open(
        { type: 'job', member: 1, capacity: 1 },
        consumption(() => {}),
      ),
    ).to.equal(undefined)
  })

  it('hand each event to its member', () => {
    const [one, other] = [join(), join()]
    inboxes.take(delivery(other, 1), shop)
    inboxes.take(delivery(one, 1), shop)
    expect(begun).to.deep.equal(['2.1', '1.1'])
  })

  it('return an event for a member that is gone, or never was', () => {
    const member = join()
    inboxes.close(member)
    inboxes.take(delivery(member, 3), shop)
    inboxes.take(delivery(99, 1), shop)
    const news = { kind: 'progress', capacity: 0, begun: 0, handled: [] }
    expect(shop.takeTold()).to.deep.equal([
      { ...news, member, returned: [3, 1] },
      { ...news, member: 99, returned: [1, 1] },
    ])
  })

  it('are idle once ended members have handled what they had begun', () => {
    const member = join()
    inboxes.take(delivery(member, 1), shop)
    inboxes.take(delivery(member, 2), shop)
    expect(inboxes.isIdle).to.equal(false)
    inboxes.close(member)
    inboxes.close(member)
    expect(inboxes.isIdle).to.equal(false)
    running[0]?.done()
    expect(inboxes.isIdle).to.equal(true)
    expect(idle).to.be.above(0)
    expect(begun).to.deep.equal(['1.1'])
  })

  it('tell senders of what ended members have handled', () => {
    const member = join()
    inboxes.take(delivery(member, 1), shop)
    inboxes.close(member)
    shop.takeTold()
    running[0]?.done()
    clock.turn()
    const news = { kind: 'progress', member, capacity: 0, begun: 1, returned: [] }
    expect(shop.takeTold()).to.deep.equal([{ ...news, handled: [1, 1] }])
  })

  it('tell all senders now on report', () => {
    const member = join()
    inboxes.take(delivery(member, 1), shop)
    shop.takeTold()
    running[0]?.done()
    expect(shop.takeTold()).to.deep.equal([])
    inboxes.report()
    expect(shop.takeTold()).to.have.lengthOf(1)
    clock.turn()
    expect(shop.takeTold()).to.deep.equal([])
  })

  it('return what has not begun when the endpoint leaves, and all when its time is over', () => {
    const members = [join(), join()]
    for (const member of members) for (const number of [1, 2]) inboxes.take(delivery(member, number), shop)
    shop.takeTold()
    inboxes.leave()
    const returned = shop.takeTold().map((message) => message.kind === 'progress' && [message.member, message.returned])
    expect(returned).to.deep.equal(members.map((member) => [member, [2, 1]]))
    inboxes.stop()
    expect(shop.takeTold().map((message) => message.kind === 'progress' && message.capacity)).to.deep.equal([0, 0])
    inboxes.take({ ...delivery(1, 3), isFixed: true }, shop)
    expect(shop.takeTold()).to.have.lengthOf(1)
  })

  it('drop what had not begun of a sender whose link broke, also in ended members', () => {
    const [one, other] = [join(), join()]
    inboxes.take(delivery(one, 1), shop)
    inboxes.take(delivery(one, 2), shop)
    inboxes.take(delivery(other, 1), shop)
    inboxes.close(other)
    shop.outbox.close()
    inboxes.onClosed(shop, false)
    for (const receipt of running) receipt.done()
    expect([begun, inboxes.isIdle]).to.deep.equal([['1.1', '2.1'], true])
  })

  it('take no event of a type or a sender that the member has not asked for, and settle it', () => {
    const interest = inboxes.joined({ ...JOB, capacity: 3, from: ['till'] })
    const handled: unknown[] = []
    inboxes.open(
      interest,
      consumption(({ payload }, receipt) => {
        handled.push(payload)
        receipt.done()
      }),
    )
    const stranger = new RecordingChannel('stranger')
    const till = new RecordingChannel('till')
    inboxes.take({ ...delivery(interest.member ?? 0, 1), type: 'other' }, till)
    inboxes.take({ ...delivery(interest.member ?? 0, 2), payload: 'wanted' }, till)
    inboxes.take(delivery(interest.member ?? 0, 1), stranger)
    inboxes.report()
    expect(handled).to.deep.equal(['wanted'])
    const settled = (channel: RecordingChannel) =>
      channel.told.flatMap((message) => (message.kind === 'progress' ? [...message.handled] : []))
    expect([settled(till), settled(stranger)]).to.deep.equal([
      [1, 1, 2, 1],
      [1, 1],
    ])
  })
})
