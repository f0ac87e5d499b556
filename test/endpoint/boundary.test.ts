import { expect } from 'chai'
import { BoundaryCrossed, defineEvent, defineRequest, type Endpoint, InvalidArgument } from '../../src'
import type { Message } from '../../src/wire/message'
import { freshBus, until } from '../support/bus'
import { DEALT } from '../support/members'
import { packageCopy } from '../support/package-copy'
import { rawPeers } from '../support/raw-peer'
import { rejection, rejectionCode } from '../support/rejection'
import { codesOf, reportsOf } from '../support/reports'

// Boundaries apply to the whole process, so no other test uses these names.
const Rotated = defineEvent<number>('boundary.rotated', { boundary: 'internal' })
const Opened = defineEvent<number>('boundary.opened', { boundary: { groups: ['vault', 'audit'] } })
const Unseal = defineRequest<number, unknown>('boundary.unseal', { boundary: 'internal' })
const Count = defineRequest<number, unknown>('boundary.count', { boundary: { groups: ['vault'] } })

describe('A boundary', () => {
  const bus = freshBus()
  const connectPeer = rawPeers().connect
  let a: Endpoint
  let vault: Endpoint
  let shop: Endpoint
  let got: string[]

  beforeEach(async () => {
    const groups = { a: {}, vault: { groups: ['vault'] }, shop: { groups: ['shops'] } }
    ;({ a, vault, shop } = await bus.startEach(groups))
    got = []
  })

  /** Subscribes all three to the types and to `end`. */
  async function listen(...types: string[]): Promise<void> {
    for (const each of [a, vault, shop]) {
      for (const type of [...types, 'end']) {
        await each.subscribe(type, (event) => got.push(`${event.type} ${event.payload} ${each.name}`)).ready
      }
    }
  }

  /** Everything received, once all events have arrived. */
  async function arrived(): Promise<string[]> {
    await a.broadcast('end', 0)
    const isEnd = (each: string) => each.startsWith('end')
    await until(() => got.filter(isEnd).length === 3)
    return got.filter((each) => !isEnd(each)).sort()
  }

  describe('of a definition that another copy of the package has made', () => {
    const copy = packageCopy()

    it('holds for the endpoints of both copies, also for a plain string of its name', async () => {
      const Secret = copy.defineEvent<number>('boundary.copied.secret', { boundary: 'internal' })
      const Ask = copy.defineRequest<number, number>('boundary.copied.ask', { boundary: { groups: ['vault'] } })
      await listen(Secret.name)
      await shop.respond(Ask.name, () => 'of shop').ready
      expect(await rejectionCode(a.request(Ask, 1))).to.equal('LAHJA_NO_SUBSCRIBERS')
      await a.broadcast(Secret, 1)
      await a.broadcast(Secret.name, 2)
      expect(await arrived()).to.deep.equal(['boundary.copied.secret 1 a', 'boundary.copied.secret 2 a'])
      defineEvent('boundary.copied.back', { boundary: 'internal' })
      const other = await copy.Endpoint.start({ name: 'other', directory: a.directory })
      try {
        await a.waitUntilConnectedTo('other')
        await a.subscribe('boundary.copied.back', ({ payload }) => got.push(`back ${payload}`)).ready
        expect(await other.broadcast('boundary.copied.back', 1)).to.equal(0)
      } finally {
        await other.close()
      }
    })

    it('must be the same in both copies', () => {
      copy.defineEvent('boundary.copied.twice', { boundary: 'internal' })
      const other = { boundary: { groups: ['vault'] } }
      expect(() => defineEvent('boundary.copied.twice', other)).to.throw(InvalidArgument, 'as it was defined before')
    })
  })

  it('is taken from a definition that carries it, as one of a copy that shares nothing with this one', async () => {
    const type = 'boundary.carried'
    const Secret = { kind: 'event', name: type, boundary: 'internal' } as const
    await listen(type)
    expect(await a.broadcast(Secret, 1)).to.equal(1)
    expect(await a.broadcast(type, 2)).to.equal(1)
    const other = { kind: 'event', name: type, boundary: { groups: ['vault'] } } as const
    expect(() => shop.subscribe(other, () => {})).to.throw(InvalidArgument, 'as it was defined before')
    expect(await arrived()).to.deep.equal([`${type} 1 a`, `${type} 2 a`])
  })

  describe('of one call', () => {
    it('keeps an event from the endpoints in except', async () => {
      await listen('x')
      expect(await a.broadcast('x', 1, { except: 'shop' })).to.equal(2)
      expect(await a.broadcast('x', 2, { except: ['a', 'vault'] })).to.equal(1)
      expect(await a.broadcast('x', 3, { except: { group: 'vault' } })).to.equal(2)
      expect(await a.broadcast('x', 4, { to: ['shop', 'vault'], except: 'shop' })).to.equal(1)
      expect(await arrived()).to.deep.equal(['x 1 a', 'x 1 vault', 'x 2 shop', 'x 3 a', 'x 3 shop', 'x 4 vault'])
    })

    it('keeps internal events in the endpoint', async () => {
      await listen('x')
      expect(await a.broadcast('x', 1, { internal: true })).to.equal(1)
      expect(await a.broadcast('x', 2, { internal: true, to: 'shop' })).to.equal(0)
      expect(await arrived()).to.deep.equal(['x 1 a'])
    })
  })

  describe('of a type', () => {
    it("'internal' holds against to, a string of the same name and another definition", async () => {
      await listen('boundary.rotated')
      const again = defineEvent<number>('boundary.rotated')
      const counts = [
        await a.broadcast(Rotated, 1),
        await a.broadcast(Rotated, 2, { to: 'shop' }),
        await a.broadcast('boundary.rotated', 3),
        await a.broadcast('boundary.rotated', 4, { to: ['shop', 'vault', 'a'] }),
        await a.broadcast(again, 5, { to: { group: 'shops' } }),
      ]
      a.broadcastNowait('boundary.rotated', 6, { to: 'vault' })
      expect(counts).to.deep.equal([1, 0, 1, 1, 0])
      expect(await arrived()).to.deep.equal([1, 3, 4].map((n) => `boundary.rotated ${n} a`))
    })

    it('of groups admits only these groups and its own endpoint, whatever to says', async () => {
      await listen('boundary.opened')
      const counts = [
        await a.broadcast(Opened, 1),
        await a.broadcast('boundary.opened', 2, { to: ['shop', 'vault'] }),
        await shop.broadcast('boundary.opened', 3, { to: { group: 'shops' } }),
      ]
      expect(counts).to.deep.equal([2, 1, 1])
      expect(await arrived()).to.deep.equal([
        'boundary.opened 1 a',
        'boundary.opened 1 vault',
        'boundary.opened 2 vault',
        'boundary.opened 3 shop',
      ])
    })

    it('holds for patterns and for queue members', async () => {
      for (const each of [vault, shop]) {
        await each.subscribe('boundary.*', ({ type }) => got.push(`${type} pattern ${each.name}`)).ready
        await each.subscribe('boundary.>', ({ type }) => got.push(`${type} queue ${each.name}`), DEALT).ready
      }
      for (let n = 0; n < 4; n++) expect(await a.broadcast(Opened, n)).to.equal(1)
      expect(await a.broadcast(Rotated, 1)).to.equal(0)
      await until(() => got.length === 8)
      expect(new Set(got)).to.deep.equal(new Set(['boundary.opened pattern vault', 'boundary.opened queue vault']))
    })

    it('holds for requests', async () => {
      for (const each of [a, vault, shop]) {
        await each.respond(Count, () => each.name).ready
        await each.respond(Unseal, () => each.name).ready
      }
      const names = new Set<unknown>()
      for (let n = 0; n < 6; n++) names.add(await a.request(Count, n))
      expect(names).to.deep.equal(new Set(['a', 'vault']))
      for (let n = 0; n < 3; n++) expect(await a.request(Unseal, n)).to.equal('a')
      for (const type of [Count, 'boundary.count', Unseal, 'boundary.unseal']) {
        expect(await rejectionCode(a.request<number, unknown, number, unknown>(type, 1, { to: 'shop' }))).to.equal(
          'LAHJA_NO_SUBSCRIBERS',
        )
      }
      const origins: string[] = []
      for await (const { origin } of a.requestAll(Count, 1)) origins.push(origin)
      expect(origins.sort()).to.deep.equal(['a', 'vault'])
    })

    it('holds against a peer that subscribes to types it must not receive', async () => {
      const peer = await connectPeer(a, { groups: ['shops'] })
      const types = [Rotated.name, Opened.name]
      await peer.want(...types.flatMap((type) => [{ type }, { type, queue: 'q' }]), { type: 'boundary.*' })
      await peer.want(...[Unseal, Count].map(({ name }) => ({ type: name, responds: true })), { type: 'end' })
      for (const type of types) expect(await a.broadcast(type, 1, { to: 'raw' })).to.equal(0)
      for (const { name } of [Unseal, Count]) {
        expect(await rejection(a.request(name, 1))).to.include({ code: 'LAHJA_NO_SUBSCRIBERS' })
        expect(await rejection(a.requestAll(name, 1).next())).to.include({ code: 'LAHJA_NO_SUBSCRIBERS' })
      }
      await a.broadcast('end')
      await until(() => peer.types.includes('end'))
      expect(peer.types).to.deep.equal(['end'])
    })

    it('keeps interests that it excludes from being announced to peers', async () => {
      await listen('boundary.rotated', 'boundary.opened')
      const peers = new Map(a.peers.map(({ name, subscriptions }) => [name, [...subscriptions].sort()]))
      expect(Object.fromEntries(peers)).to.deep.equal({ shop: ['end'], vault: ['boundary.opened', 'end'] })
    })

    it('cannot be changed by a second definition, and throws if it is invalid', async () => {
      expect(
        await rejection(() => defineEvent('boundary.rotated', { boundary: { groups: ['shops'] } })),
      ).to.be.instanceOf(InvalidArgument)
      for (const boundary of ['external', { groups: [] }, { groups: ['a b'] }, {}, null]) {
        const options = Object.assign({ boundary: 'internal' as const }, { boundary })
        expect(await rejection(() => defineEvent('boundary.none', options))).to.be.instanceOf(InvalidArgument)
      }
    })
  })

  describe('of an endpoint, set by accepts,', () => {
    it('admits only these types from other endpoints, which see it', async () => {
      const closed = await bus.start('closed', { accepts: ['order.*', 'end'] })
      await a.waitUntilConnectedTo('closed')
      expect(a.peers.find(({ name }) => name === 'closed')?.accepts).to.deep.equal(['order.*', 'end'])
      expect(a.peers.find(({ name }) => name === 'shop')?.accepts).to.equal(undefined)
      await closed.subscribe('>', ({ type, origin }) => got.push(`${type} ${origin}`)).ready
      await closed.respond('order.get', () => 'order').ready
      await closed.respond('secret.get', () => 'secret').ready
      const counts = [await a.broadcast('order.placed'), await a.broadcast('secret', 1, { to: 'closed' })]
      expect(counts).to.deep.equal([1, 0])
      expect(await a.request('order.get')).to.equal('order')
      expect(await rejection(a.request('secret.get'))).to.include({ code: 'LAHJA_NO_SUBSCRIBERS' })
      expect(a.isEndpointSubscribedTo('closed', 'secret')).to.equal(false)
      expect(await closed.broadcast('secret', 2)).to.equal(1)
      expect(await closed.request('secret.get')).to.equal('secret')
      await a.broadcast('end')
      await until(() => got.includes('end a'))
      expect(got.sort()).to.deep.equal(['end a', 'order.placed a', 'secret closed'])
    })

    it('admits nothing if it is empty', async () => {
      const closed = await bus.start('closed', { accepts: [] })
      await a.waitUntilConnectedTo('closed')
      await closed.subscribe('>', () => {}).ready
      expect(await a.broadcast('order.placed')).to.equal(0)
      expect(await closed.broadcast('order.placed')).to.equal(1)
    })
  })

  describe('that a peer ignores', () => {
    const JOB = { kind: 'assign', queue: 'q', isFixed: false, payload: 1 } as const
    const REQUEST = { kind: 'request', id: 7, payload: 1 } as const
    const REFUSED: readonly [what: string, message: Message, answer: string | undefined][] = [
      ['an event of an internal type', { kind: 'event', type: 'boundary.rotated', payload: 1 }, undefined],
      ['an event for a group it is not in', { kind: 'event', type: 'boundary.opened', payload: 1 }, undefined],
      ['an event of a type that is not accepted', { kind: 'event', type: 'other', payload: 1 }, undefined],
      ['an assignment of an internal type', { ...JOB, type: 'boundary.rotated' }, 'settle'],
      ['an assignment of a type that is not accepted', { ...JOB, type: 'other' }, 'settle'],
      ['a request of an internal type', { ...REQUEST, type: 'boundary.unseal' }, 'decline'],
      ['a request for a group it is not in', { ...REQUEST, type: 'boundary.count' }, 'decline'],
      ['a request of a type that is not accepted', { ...REQUEST, type: 'other.get' }, 'decline'],
    ]

    for (const [what, message, answer] of REFUSED) {
      it(`has ${what} refused and reported, while the link stays up`, async () => {
        const closed = await bus.start('closed', { accepts: ['boundary.*', 'end'] })
        const reports = reportsOf(closed)
        for (const type of ['>', 'boundary.rotated', 'boundary.opened', 'other']) {
          closed.subscribe(type, (event) => got.push(event.type))
          closed.subscribe(type, (event) => got.push(event.type), { queue: 'q' })
        }
        for (const type of [Unseal, Count]) closed.respond(type, () => got.push('asked'))
        closed.respond('other.get', () => got.push('asked'))
        const peer = await connectPeer(closed)
        peer.say(message, { kind: 'event', type: 'end', payload: 0 }, { kind: 'ping' })
        await until(() => got.includes('end') && peer.heardOf('pong').length === 1)
        expect(got).to.deep.equal(['end'])
        expect(reports).to.have.length(1)
        expect(reports[0]).to.be.instanceOf(BoundaryCrossed)
        expect(codesOf(reports)).to.deep.equal(['LAHJA_BOUNDARY_CROSSED'])
        expect(reports[0]?.message)
          .to.contain('raw')
          .and.contain('type' in message ? message.type : '')
        const answers = peer.heard.map(({ kind }) => kind).filter((kind) => kind === 'settle' || kind === 'decline')
        expect(answers).to.deep.equal(answer ? [answer] : [])
        expect(closed.isConnectedTo('raw')).to.equal(true)
        expect(peer.isClosed).to.equal(false)
      })
    }

    it('is not crossed by the return of an event that was not given', async () => {
      const closed = await bus.start('closed', { accepts: ['tick'] })
      const reports = reportsOf(closed)
      closed.subscribe('boundary.secret', (event) => got.push(event.type), { queue: 'q' })
      const peer = await connectPeer(closed)
      await peer.want({ type: 'tick', queue: 'q' })
      expect(await closed.broadcast('tick')).to.equal(1)
      await until(() => peer.heardOf('assign').length === 1)
      const forged = { kind: 'return', queue: 'q', isFixed: false, payload: 1 } as const
      peer.say({ ...forged, type: 'boundary.secret' }, { ...forged, queue: 'other', type: 'tick' }, { kind: 'ping' })
      await until(() => peer.heardOf('pong').length === 1)
      expect(codesOf(reports)).to.deep.equal(['LAHJA_BOUNDARY_CROSSED', 'LAHJA_BOUNDARY_CROSSED'])
      expect(got).to.deep.equal([])
    })
  })
})
