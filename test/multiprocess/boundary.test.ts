import { expect } from 'chai'
import { defineEvent, type Endpoint, type LahjaError } from '../../src'
import { Bus } from './bus'
import { Intruder } from './intruder'
import type { Numbered } from './journal'
import type { RemoteEndpoint } from './remote-endpoint'

describe('boundaries between processes', () => {
  const bus = new Bus()

  beforeEach(() => bus.open())
  afterEach(() => bus.end())

  /** Resolves when all that the sender has sent to the receiver so far has arrived. */
  async function untilHeard(sender: RemoteEndpoint, receiver: RemoteEndpoint): Promise<void> {
    await receiver.subscribe('marker')
    const before = (await receiver.received('marker')).length
    await sender.broadcast('marker')
    await receiver.untilReceived('marker', before + 1)
    await receiver.unsubscribe('marker')
  }

  it('keep what is internal in its endpoint, whoever asks for it and whatever a caller says', async () => {
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
    // Others are not even told that it is wanted.
    expect((await other.peers()).flatMap(({ subscriptions }) => subscriptions)).to.deep.equal([])
    expect(await other.broadcast('secret', 1, 3, { except: 'other' })).to.equal(0)
  })

  it('of groups let in who carries one of them, in another process too, and nobody else', async () => {
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

  it('are drawn by the sender for a single event with except and internal', async () => {
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

  it('are drawn by the receiver with accepts, and what it does not accept is not sent', async () => {
    const sender = await bus.start('sender')
    const picky = await bus.start('picky', { accepts: ['order.>', 'marker'] })
    await picky.subscribe('>')
    expect(await sender.broadcast('order.placed')).to.equal(1)
    expect(await sender.broadcast('order')).to.equal(0)
    expect(await sender.broadcast('debug.order')).to.equal(0)
    // Its own events are none of a boundary's business.
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

describe('a boundary that a bare socket in another process attacks', () => {
  const bus = new Bus()
  let host: Endpoint
  let received: [type: string, origin: string, payload: unknown][]
  let errors: LahjaError[]

  beforeEach(async () => {
    await bus.open()
    received = []
    errors = []
    host = await bus.join('host', { accepts: ['attacked.*', 'open'] })
    host.on('error', (error) => errors.push(error))
  })

  afterEach(() => bus.end())

  const take = ({ type, origin, payload }: { type: string; origin: string; payload: unknown }) => {
    received.push([type, origin, payload])
  }

  /** The link stands, and what is allowed arrives over it. */
  async function expectOpen(intruder: Intruder): Promise<void> {
    received = []
    await intruder.say({ kind: 'event', type: 'open', payload: 'still here' })
    const heard = await intruder.heard()
    expect(received).to.deep.equal([['open', 'intruder', 'still here']])
    expect(heard.map(({ kind }) => kind)).to.not.include('goodbye')
    expect(await intruder.isClosed()).to.equal(false)
    expect(host.isConnectedTo('intruder')).to.equal(true)
  }

  function expectReported(what: string): void {
    expect(errors.map(({ code }) => code)).to.deep.equal(CLOSED.map(() => 'LAHJA_BOUNDARY_CROSSED'))
    for (const [index, type] of CLOSED.entries()) {
      expect(errors[index]?.message).to.include(`${what} ${type} from intruder was refused: `)
    }
  }

  it('refuses and reports events that may not come in, and lets others in', async () => {
    host.subscribe('>', take)
    const intruder = await Intruder.start(bus.processes, host)
    await intruder.say(...CLOSED.map((type) => ({ kind: 'event', type, payload: { number: 1 } }) as const))
    await intruder.heard()

    expect(received).to.deep.equal([])
    expectReported('event')
    await expectOpen(intruder)
  })

  it('refuses and reports assignments to a queue, and settles them all the same', async () => {
    host.subscribe('>', take, { queue: 'workers' })
    host.subscribe('open', take)
    const intruder = await Intruder.start(bus.processes, host)
    const assignment = { kind: 'assign', queue: 'workers', isFixed: false, payload: { number: 1 } } as const
    await intruder.say(...CLOSED.map((type) => ({ ...assignment, type })))
    const settled = (await intruder.heard()).map((message) => (message.kind === 'settle' ? message.count : 0))

    expect(received).to.deep.equal([])
    expect(settled.reduce((sum, count) => sum + count, 0)).to.equal(CLOSED.length)
    expectReported('event')
    await intruder.say({ ...assignment, type: 'open' })
    await intruder.heard()
    expect(received).to.deep.equal([['open', 'intruder', { number: 1 }]])
    await expectOpen(intruder)
  })

  it('declines and reports requests, and answers others', async () => {
    for (const type of [...CLOSED, 'open']) {
      host.respond(type, (event) => {
        take(event)
        return 'yes'
      })
    }
    host.subscribe('open', take)
    const intruder = await Intruder.start(bus.processes, host)
    await intruder.say(...CLOSED.map((type, id) => ({ kind: 'request', id, type, payload: 1 }) as const))
    const declined = (await intruder.heard()).filter(({ kind }) => kind === 'decline')

    expect(received).to.deep.equal([])
    expect(declined).to.deep.equal(CLOSED.map((_, id) => ({ kind: 'decline', id })))
    expectReported('request')
    await intruder.say({ kind: 'request', id: 7, type: 'open', payload: 1 })
    expect(await intruder.heard()).to.deep.include({ kind: 'response', id: 7, payload: 'yes' })
    await expectOpen(intruder)
  })

  it('takes back no event for a queue that it has never given', async () => {
    for (const type of [...CLOSED, 'open']) host.subscribe(type, take, { queue: 'workers' })
    host.subscribe('open', take)
    const intruder = await Intruder.start(bus.processes, host)
    const returned = { kind: 'return', queue: 'workers', isFixed: false, payload: { number: 1 } } as const
    await intruder.say(...[...CLOSED, 'open'].map((type) => ({ ...returned, type })))
    await intruder.heard()
    const marker = host.waitFor('attacked.marker')
    await host.broadcast('attacked.marker')
    await marker

    expect(received).to.deep.equal([])
    await expectOpen(intruder)
  })

  it('lets nothing out to one that asks for everything', async () => {
    const intruder = await Intruder.start(bus.processes, host, [...CLOSED, '>', '*.*', 'attacked.*'])
    expect(await host.broadcast(Internal, { number: 1 })).to.equal(0)
    expect(await host.broadcast(Vault, { number: 1 }, { to: 'intruder' })).to.equal(0)
    expect(await host.broadcast('open', { number: 2 })).to.equal(1)

    const events = (await intruder.heard()).filter(({ kind }) => kind === 'event')
    expect(events).to.deep.equal([{ kind: 'event', type: 'open', payload: { number: 2 } }])
  })
})
