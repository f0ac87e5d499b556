import { expect } from 'chai'
import { defineEvent, type Endpoint, type LahjaError } from '../../src'
import { useBus } from './bus'
import type { Numbered } from './endpoint-history'
import type { RemoteEndpoint } from './remote-endpoint'
import { RemoteRawPeer } from './remote-raw-peer'

describe('boundaries between processes', () => {
  const bus = useBus()

  /** Resolves when everything that the sender has sent to the receiver so far has arrived. */
  async function untilHeard(sender: RemoteEndpoint, receiver: RemoteEndpoint): Promise<void> {
    await receiver.subscribe('marker')
    const before = (await receiver.received('marker')).length
    await sender.broadcast('marker')
    await receiver.untilReceived('marker', before + 1)
    await receiver.unsubscribe('marker')
  }

  it('keep internal events in their endpoint, whatever others subscribe to and whatever the options', async () => {
    const owner = await bus.start('owner')
    const other = await bus.start('other')
    await owner.waitUntilConnectedTo('other')
    await owner.defineEvent('secret', { boundary: 'internal' })
    await owner.subscribe('secret')
    for (const type of ['secret', '>', '*']) await other.subscribe(type)
    await other.subscribe('secret', { queue: 'thieves' })

    expect(await owner.broadcast('secret')).to.equal(1)
    expect(await owner.broadcast('secret', 1, 1, { to: 'other' })).to.equal(0)
    expect(await owner.broadcast('secret', 1, 2, { to: ['owner', 'other'] })).to.equal(1)

    await owner.untilReceived('secret', 2)
    await untilHeard(owner, other)
    expect(await other.received('secret')).to.deep.equal([])
    expect((await owner.peers()).flatMap(({ subscriptions }) => subscriptions)).to.include('secret')
    // Peers do not even learn of the subscription.
    expect((await other.peers()).flatMap(({ subscriptions }) => subscriptions)).to.deep.equal([])
    expect(await other.broadcast('secret', 1, 3, { except: 'other' })).to.equal(0)
  })

  it('of groups admit only peers in one of these groups', async () => {
    const sender = await bus.start('sender', { groups: ['vault'] })
    const member = await bus.start('member', { groups: ['staff', 'vault'] })
    const guest = await bus.start('guest', { groups: ['guests'] })
    for (const endpoint of [member, guest]) {
      await sender.waitUntilConnectedTo(endpoint.name)
      await endpoint.subscribe('secret')
      await endpoint.subscribe('>')
    }
    await sender.defineEvent('secret', { boundary: { groups: ['vault', 'cellar'] } })

    expect(await sender.broadcast('secret')).to.equal(1)
    expect(await sender.broadcast('secret', 1, 1, { to: { group: 'guests' } })).to.equal(0)
    expect(await sender.broadcast('secret', 1, 2, { except: 'member' })).to.equal(0)
    expect(await sender.broadcast('open')).to.equal(2)

    for (const endpoint of [member, guest]) await untilHeard(sender, endpoint)
    expect((await member.received('secret')).map(({ number }) => number)).to.deep.equal([0, 0])
    expect(await guest.received('secret')).to.deep.equal([])
    expect(await guest.received('open')).to.have.lengthOf(1)
  })

  it('can be set for a single event with except and internal', async () => {
    const sender = await bus.start('sender')
    const one = await bus.start('one', { groups: ['west'] })
    const two = await bus.start('two', { groups: ['west'] })
    const three = await bus.start('three')
    for (const endpoint of [sender, one, two, three]) await endpoint.subscribe('news')

    expect(await sender.broadcast('news', 1, 1, { except: 'one' })).to.equal(3)
    expect(await sender.broadcast('news', 1, 2, { except: ['two', 'three'] })).to.equal(2)
    expect(await sender.broadcast('news', 1, 3, { except: { group: 'west' } })).to.equal(2)
    expect(await sender.broadcast('news', 1, 4, { to: { group: 'west' }, except: 'two' })).to.equal(1)
    expect(await sender.broadcast('news', 1, 5, { internal: true })).to.equal(1)

    const expected = { sender: [1, 2, 3, 5], one: [2, 4], two: [1], three: [1, 3] }
    for (const endpoint of [sender, one, two, three]) {
      await untilHeard(sender, endpoint)
      const numbers = (await endpoint.received('news')).map(({ number }) => number)
      expect(numbers, endpoint.name).to.deep.equal(Reflect.get(expected, endpoint.name))
    }
  })

  it('can be set by the receiver with accepts, so that other events are not sent', async () => {
    const sender = await bus.start('sender')
    const picky = await bus.start('picky', { accepts: ['order.>', 'marker'] })
    await picky.subscribe('>')
    expect(await sender.broadcast('order.placed')).to.equal(1)
    expect(await sender.broadcast('order')).to.equal(0)
    expect(await sender.broadcast('debug.order')).to.equal(0)
    // `accepts` does not apply to its own events.
    expect(await picky.broadcast('debug.order', 1, 7)).to.equal(1)

    await untilHeard(sender, picky)
    await picky.untilReceived('debug.order', 1)
    expect(await picky.received('order.placed')).to.deep.equal([{ origin: 'sender', number: 0 }])
    expect(await picky.received('order')).to.deep.equal([])
    expect(await picky.received('debug.order')).to.deep.equal([{ origin: 'picky', number: 7 }])
    expect((await picky.notices()).map(({ kind }) => kind)).to.not.include('error')
  })
})

const Internal = defineEvent<Numbered>('attacked.internal', { boundary: 'internal' })
const Vault = defineEvent<Numbered>('attacked.vault', { boundary: { groups: ['vault'] } })
const CLOSED = [Internal.name, Vault.name, 'closed']

describe('a boundary under attack by a raw peer in another process', () => {
  const bus = useBus()
  let host: Endpoint
  let received: [type: string, origin: string, payload: unknown][]
  let errors: LahjaError[]

  beforeEach(async () => {
    received = []
    errors = []
    host = await bus.join('host', { accepts: ['attacked.*', 'open'] })
    host.on('error', (error) => errors.push(error))
  })

  const take = ({ type, origin, payload }: { type: string; origin: string; payload: unknown }) => {
    received.push([type, origin, payload])
  }

  /** The link is up, and allowed events arrive over it. */
  async function expectOpen(peer: RemoteRawPeer): Promise<void> {
    received = []
    await peer.say({ kind: 'event', type: 'open', payload: 'still here' })
    const heard = await peer.heard()
    expect(received).to.deep.equal([['open', 'raw', 'still here']])
    expect(heard.map(({ kind }) => kind)).to.not.include('goodbye')
    expect(await peer.isClosed()).to.equal(false)
    expect(host.isConnectedTo('raw')).to.equal(true)
  }

  function expectReported(what: string): void {
    expect(errors.map(({ code }) => code)).to.deep.equal(CLOSED.map(() => 'LAHJA_BOUNDARY_CROSSED'))
    for (const [index, type] of CLOSED.entries()) {
      expect(errors[index]?.message).to.include(`${what} ${type} from raw was refused: `)
    }
  }

  it('refuses and reports forbidden events, and admits others', async () => {
    host.subscribe('>', take)
    const peer = await RemoteRawPeer.start(bus.processes, host)
    await peer.say(...CLOSED.map((type) => ({ kind: 'event', type, payload: { number: 1 } }) as const))
    await peer.heard()

    expect(received).to.deep.equal([])
    expectReported('event')
    await expectOpen(peer)
  })

  it('refuses, reports and settles forbidden queue events', async () => {
    host.subscribe('>', take, { queue: 'workers' })
    host.subscribe('open', take)
    const peer = await RemoteRawPeer.start(bus.processes, host)
    const assignment = { kind: 'assign', queue: 'workers', isFixed: false, payload: { number: 1 } } as const
    await peer.say(...CLOSED.map((type) => ({ ...assignment, type })))
    const settled = (await peer.heard()).map((message) => (message.kind === 'settle' ? message.count : 0))

    expect(received).to.deep.equal([])
    expect(settled.reduce((sum, count) => sum + count, 0)).to.equal(CLOSED.length)
    expectReported('event')
    await peer.say({ ...assignment, type: 'open' })
    await peer.heard()
    expect(received).to.deep.equal([['open', 'raw', { number: 1 }]])
    await expectOpen(peer)
  })

  it('declines and reports forbidden requests, and answers others', async () => {
    for (const type of [...CLOSED, 'open']) {
      host.respond(type, (event) => {
        take(event)
        return 'yes'
      })
    }
    host.subscribe('open', take)
    const peer = await RemoteRawPeer.start(bus.processes, host)
    await peer.say(...CLOSED.map((type, id) => ({ kind: 'request', id, type, payload: 1 }) as const))
    const declined = (await peer.heard()).filter(({ kind }) => kind === 'decline')

    expect(received).to.deep.equal([])
    expect(declined).to.deep.equal(CLOSED.map((_, id) => ({ kind: 'decline', id })))
    expectReported('request')
    await peer.say({ kind: 'request', id: 7, type: 'open', payload: 1 })
    expect(await peer.heard()).to.deep.include({ kind: 'response', id: 7, payload: 'yes' })
    await expectOpen(peer)
  })

  it('ignores a returned queue event that was never assigned', async () => {
    for (const type of [...CLOSED, 'open']) host.subscribe(type, take, { queue: 'workers' })
    host.subscribe('open', take)
    const peer = await RemoteRawPeer.start(bus.processes, host)
    const returned = { kind: 'return', queue: 'workers', isFixed: false, payload: { number: 1 } } as const
    await peer.say(...[...CLOSED, 'open'].map((type) => ({ ...returned, type })))
    await peer.heard()
    const marker = host.waitFor('attacked.marker')
    await host.broadcast('attacked.marker')
    await marker

    expect(received).to.deep.equal([])
    await expectOpen(peer)
  })

  it('sends no forbidden event to a peer that subscribes to everything', async () => {
    const peer = await RemoteRawPeer.start(bus.processes, host, [...CLOSED, '>', '*.*', 'attacked.*'])
    expect(await host.broadcast(Internal, { number: 1 })).to.equal(0)
    expect(await host.broadcast(Vault, { number: 1 }, { to: 'raw' })).to.equal(0)
    expect(await host.broadcast('open', { number: 2 })).to.equal(1)

    const events = (await peer.heard()).filter(({ kind }) => kind === 'event')
    expect(events).to.deep.equal([{ kind: 'event', type: 'open', payload: { number: 2 } }])
  })
})
