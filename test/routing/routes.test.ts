import { expect } from 'chai'
import fc from 'fast-check'
import { type Interest, isInterestedIn, keyOf } from '../../src/model/interest'
import { matches } from '../../src/model/pattern'
import { Routes } from '../../src/routing/routes'
import { RecordingChannel } from '../support/recording-channel'

const self = { name: 'shop', groups: ['web'] }

/** The receivers of a type by name, sorted. */
function namesIn(routes: Routes<RecordingChannel>, type: string) {
  const { recipients, queues } = routes.select(type)
  return {
    recipients: recipients.map(({ identity }) => identity.name).sort(),
    queues: Object.fromEntries(
      queues.map(({ name, pushMembers }) => {
        return [
          name,
          Object.fromEntries(pushMembers.map(({ destination, weight }) => [destination.identity.name, weight])),
        ]
      }),
    ),
    responders: routes
      .responders(type)
      .map(({ identity }) => identity.name)
      .sort(),
  }
}

const nothing = { recipients: [], queues: {}, responders: [] }

describe('Routes', () => {
  let routes: Routes<RecordingChannel>
  let till: RecordingChannel
  let desk: RecordingChannel

  beforeEach(() => {
    routes = new Routes(self)
    till = new RecordingChannel('till')
    desk = new RecordingChannel('desk')
  })

  it('are empty without interests', () => {
    expect(namesIn(routes, 'a.b')).to.deep.equal(nothing)
    expect(routes.subscribers('a.b')).to.deep.equal([])
  })

  it('lead once to a channel with several matching interests', () => {
    for (const type of ['a.b', 'a.*', '>']) routes.add(till, { type })
    routes.add(till, { type: 'a.b', from: ['shop'] })
    expect(namesIn(routes, 'a.b')).to.deep.equal({ ...nothing, recipients: ['till'] })
    for (const type of ['a.b', 'a.*']) routes.remove(till, { type })
    expect(namesIn(routes, 'a.b').recipients).to.deep.equal(['till'])
    routes.remove(till, { type: '>' })
    routes.remove(till, { type: 'a.b', from: ['shop'] })
    expect(namesIn(routes, 'a.b')).to.deep.equal(nothing)
  })

  it('count the queue members of a channel over all its patterns', () => {
    for (const type of ['a.b', 'a.b', 'a.*', 'c']) routes.add(till, { type, queue: 'q' })
    routes.add(desk, { type: '>', queue: 'q' })
    routes.add(desk, { type: '>', queue: 'other' })
    expect(namesIn(routes, 'a.b').queues).to.deep.equal({ q: { till: 3, desk: 1 }, other: { desk: 1 } })
    routes.remove(till, { type: 'a.b', queue: 'q' })
    expect(namesIn(routes, 'a.b').queues).to.deep.equal({ q: { till: 2, desk: 1 }, other: { desk: 1 } })
    routes.removeAll(desk)
    expect(namesIn(routes, 'a.b').queues).to.deep.equal({ q: { till: 2 } })
  })

  it('know a queue by its name, where it has members for the type', () => {
    routes.add(till, { type: 'order.*', queue: 'orders' })
    expect(routes.queue('order.placed', 'orders')?.pushMembers).to.deep.equal([{ destination: till, weight: 1 }])
    expect([routes.queue('order.placed', 'others'), routes.queue('invoice', 'orders')]).to.deep.equal([
      undefined,
      undefined,
    ])
  })

  it('do not lead to a channel that wants events from other endpoints only', () => {
    for (const from of [['till', 'desk'], { group: 'eu' }, []]) {
      routes.add(till, { type: 'a', from })
      routes.add(till, { type: 'a', from, queue: 'q' })
    }
    expect(namesIn(routes, 'a')).to.deep.equal(nothing)
    for (const from of [['shop'], { group: 'web' }]) routes.add(desk, { type: 'a', from })
    expect(namesIn(routes, 'a').recipients).to.deep.equal(['desk'])
    for (const from of [['till', 'desk'], { group: 'eu' }, []]) routes.remove(till, { type: 'a', from })
    expect(namesIn(routes, 'a').recipients).to.deep.equal(['desk'])
  })

  it('do not lead to a channel that does not accept the type', () => {
    const closed = new RecordingChannel('closed', { accepts: ['a.>'] })
    for (const interest of [{}, { queue: 'q' }]) routes.add(closed, { type: '*.b', ...interest })
    for (const type of ['a.b', 'b.b']) routes.add(closed, { type, responds: true })
    expect(namesIn(routes, 'a.b')).to.deep.equal({
      recipients: ['closed'],
      queues: { q: { closed: 1 } },
      responders: ['closed'],
    })
    expect(namesIn(routes, 'b.b')).to.deep.equal(nothing)
  })

  it('keep requests and events apart', () => {
    routes.add(till, { type: 'a', responds: true })
    expect(namesIn(routes, 'a')).to.deep.equal({ ...nothing, responders: ['till'] })
    expect(routes.subscribers('a')).to.deep.equal([])
    routes.remove(till, { type: 'a' })
    expect(routes.responders('a')).to.deep.equal([till])
    routes.remove(till, { type: 'a', responds: true })
    expect(routes.responders('a')).to.deep.equal([])
  })

  it('count queue members as subscribers', () => {
    routes.add(till, { type: 'a', queue: 'q' })
    routes.add(desk, { type: 'a' })
    expect(routes.subscribers('a')).to.have.members([till, desk])
  })

  it('lead to a channel until an interest was removed as often as it was added', () => {
    for (const interest of [{ type: 'a' }, { type: 'a', queue: 'q' }]) {
      const isSubscriber = () => routes.subscribers('a').includes(till)
      routes.add(till, interest)
      routes.add(till, interest)
      routes.remove(till, interest)
      expect(isSubscriber()).to.equal(true)
      routes.remove(till, interest)
      expect(isSubscriber()).to.equal(false)
      routes.add(till, interest)
      routes.removeAll(till)
      expect(isSubscriber()).to.equal(false)
      routes.add(till, interest)
      routes.remove(till, interest)
      expect(isSubscriber()).to.equal(false)
    }
  })

  it('follow from the interests that were added and not removed', () => {
    const interest = fc.constantFrom<Interest[]>(
      { type: 'a' },
      { type: '>' },
      { type: 'a.*', queue: 'q' },
      { type: '>', queue: 'q' },
      { type: 'a.b', from: ['till'] },
    )
    const step = fc.record({
      action: fc.oneof({ weight: 9, arbitrary: fc.constantFrom('add', 'remove') }, fc.constant('remove all')),
      index: fc.nat(1),
      interest,
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 50 }), (steps) => {
        const routes = new Routes<RecordingChannel>(self)
        const channels = ['0', '1'].map((name) => new RecordingChannel(name))
        let added: { readonly channel: RecordingChannel; readonly interest: Interest }[] = []
        for (const { action, index, interest } of steps) {
          const [channel = till] = channels.slice(index)
          if (action === 'add') {
            routes.add(channel, interest)
            added.push({ channel, interest })
          } else if (action === 'remove') {
            routes.remove(channel, interest)
            const at = added.findIndex((one) => one.channel === channel && keyOf(one.interest) === keyOf(interest))
            if (at >= 0) added.splice(at, 1)
          } else {
            routes.removeAll(channel)
            added = added.filter((one) => one.channel !== channel)
          }
          expectToLead(routes, added)
        }
      }),
    )
  })
})

function expectToLead(
  routes: Routes<RecordingChannel>,
  added: readonly { channel: RecordingChannel; interest: Interest }[],
): void {
  for (const type of ['a', 'a.b', 'a.b.c', 'b']) {
    const matching = added.filter(({ interest }) => matches(interest.type, type) && isInterestedIn(interest, self))
    const recipients = new Set(
      matching.flatMap(({ channel, interest }) => (interest.queue ? [] : [channel.identity.name])),
    )
    const queues: Record<string, Record<string, number>> = {}
    for (const { channel, interest } of matching) {
      if (!interest.queue) continue
      const pushMembers = queues[interest.queue] ?? {}
      queues[interest.queue] = pushMembers
      pushMembers[channel.identity.name] = (pushMembers[channel.identity.name] ?? 0) + 1
    }
    expect(namesIn(routes, type), type).to.deep.equal({ recipients: [...recipients].sort(), queues, responders: [] })
  }
}
