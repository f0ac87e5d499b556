import { expect } from 'chai'
import { defineEvent, type Endpoint } from '../../src'
import { freshBus, until } from '../support/bus'
import { payloadsAt } from '../support/payloads'
import { rawPeers } from '../support/raw-peer'
import { rejection } from '../support/rejection'

const News = defineEvent<string>('news')

describe('Endpoint.subscribe with from', () => {
  const bus = freshBus()
  const connectPeer = rawPeers().connect
  let reader: Endpoint
  let x: Endpoint
  let y: Endpoint
  let z: Endpoint

  beforeEach(async () => {
    const press = { x: { groups: ['press'] }, y: { groups: ['press', 'radio'] } }
    ;({ reader, x, y, z } = await bus.startEach({ reader: { groups: ['readers'] }, ...press, z: {} }))
  })

  /** Broadcasts from every endpoint. Returns the receiver count of each, once all events have arrived. */
  async function broadcastFromAll(): Promise<Record<string, number>> {
    const ends = new Set<string>()
    const end = reader.subscribe('end', ({ origin }) => ends.add(origin))
    await end.ready
    const counts: [string, number][] = []
    for (const each of [reader, x, y, z]) {
      counts.push([each.name, await each.broadcast(News, each.name)])
      await each.broadcast('end')
    }
    await until(() => ends.size === 4)
    end.unsubscribe()
    return Object.fromEntries(counts)
  }

  const CASES = [
    ['a name', 'x', ['x']],
    ['several names', ['x', 'z', 'nobody'], ['x', 'z']],
    ['a group', { group: 'press' }, ['x', 'y']],
    ['a group of one', { group: 'radio' }, ['y']],
    ['its own name', 'reader', ['reader']],
    ['its own group', { group: 'readers' }, ['reader']],
    ['its own name and others', ['reader', 'y'], ['reader', 'y']],
    ['an empty array', [], []],
    ['a group without endpoints', { group: 'none' }, []],
  ] as const

  for (const [what, from, heard] of CASES) {
    it(`set to ${what} receives events only from there, and no others are sent`, async () => {
      const got: string[] = []
      await reader.subscribe(News, ({ payload, origin }) => got.push(`${payload} ${origin}`), { from }).ready
      const counts = await broadcastFromAll()
      expect(got.sort()).to.deep.equal(heard.map((name) => `${name} ${name}`))
      const names = ['reader', 'x', 'y', 'z']
      const expected = names.map((name) => [name, heard.some((each) => each === name) ? 1 : 0])
      expect(counts).to.deep.equal(Object.fromEntries(expected))
    })
  }

  it('set to other endpoints keeps an event from being sent at all', async () => {
    const peer = await connectPeer(x)
    await peer.want({ type: 'news', from: ['y'] }, { type: 'news', from: { group: 'radio' } }, { type: 'end' })
    expect(await x.broadcast(News, 'not for you')).to.equal(0)
    expect(await x.broadcast('end')).to.equal(1)
    await until(() => peer.types.includes('end'))
    expect(peer.types).to.deep.equal(['end'])
  })

  it('matching the sender by name and by group has an event sent once', async () => {
    const peer = await connectPeer(x)
    await peer.want({ type: 'news', from: ['x'] }, { type: 'news', from: { group: 'press' } }, { type: 'news' })
    expect(await x.broadcast(News, 'for you')).to.equal(1)
    await peer.want({ type: 'end' })
    await x.broadcast('end')
    await until(() => peer.types.includes('end'))
    expect(peer.types).to.deep.equal(['news', 'end'])
  })

  it('is announced to peers, as names or as a group', async () => {
    const peer = await connectPeer(x)
    await x.subscribe(News, () => {}, { from: 'y' }).ready
    await x.subscribe(News, () => {}, { from: { group: 'press' } }).ready
    const told = peer.heardOf('subscribe').flatMap(({ interests }) => interests)
    expect(told.map(({ type, from }) => ({ type, from }))).to.deep.equal([
      { type: 'news', from: ['y'] },
      { type: 'news', from: { group: 'press' } },
    ])
  })

  it('applies to each subscription of an endpoint separately', async () => {
    const [fromX, fromY, all]: [string[], string[], string[]] = [[], [], []]
    await reader.subscribe(News, ({ origin }) => fromX.push(origin), { from: 'x' }).ready
    await reader.subscribe(News, ({ origin }) => fromY.push(origin), { from: 'y' }).ready
    const open = reader.subscribe(News, ({ origin }) => all.push(origin))
    await open.ready
    expect(await broadcastFromAll()).to.deep.equal({ reader: 1, x: 1, y: 1, z: 1 })
    expect([fromX, fromY, all.sort()]).to.deep.equal([['x'], ['y'], ['reader', 'x', 'y', 'z']])
    open.unsubscribe()
    await until(() => !z.isEndpointSubscribedTo('reader', 'news'))
    expect(await broadcastFromAll()).to.deep.equal({ reader: 0, x: 1, y: 1, z: 0 })
    expect([fromX.join(), fromY.join()]).to.deep.equal(['x,x', 'y,y'])
  })

  it('works for patterns, stream and waitFor', async () => {
    const stream = reader.stream('*', { from: 'x', limit: 1 })
    const event = reader.waitFor(News, { from: { group: 'radio' } })
    await stream.ready
    await until(() => y.isEndpointSubscribedTo('reader', 'news'))
    for (const each of [z, y, x]) await each.broadcast(News, `by ${each.name}`)
    expect((await stream.next()).value).to.deep.equal({ type: 'news', payload: 'by x', origin: 'x', headers: {} })
    expect(await event).to.deep.equal({ type: 'news', payload: 'by y', origin: 'y', headers: {} })
  })

  it('set to a name matches any endpoint with that name, also one that joins later', async () => {
    const got = await payloadsAt(reader, News, { from: 'late' })
    const late = await bus.start('late')
    await late.broadcast(News, 'first life')
    await late.close()
    const again = await bus.start('late')
    await again.broadcast(News, 'second life')
    await until(() => got.length === 2)
    expect(got).to.deep.equal(['first life', 'second life'])
  })

  it('distinguishes names from groups', async () => {
    await reader.subscribe(News, () => {}, { from: 'press' }).ready
    await reader.subscribe(News, () => {}, { from: { group: 'x' } }).ready
    expect(await broadcastFromAll()).to.deep.equal({ reader: 0, x: 0, y: 0, z: 0 })
  })

  for (const from of [7, null, { group: 7 }, [7], {}, ['x'.repeat(3000)]]) {
    it(`throws InvalidArgument for ${JSON.stringify(from).slice(0, 20)}`, async () => {
      const options = Object.assign({ from: 'x' }, { from })
      const attempts = [() => reader.subscribe(News, () => {}, options), () => reader.stream(News, options)]
      for (const attempt of attempts) {
        expect(await rejection(attempt)).to.include({ code: 'LAHJA_INVALID_ARGUMENT' })
      }
      expect(await rejection(reader.waitFor(News, options))).to.include({ code: 'LAHJA_INVALID_ARGUMENT' })
      expect(reader.subscribedEvents.size).to.equal(0)
    })
  }
})
