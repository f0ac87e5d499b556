import { expect } from 'chai'
import type { Endpoint } from '../../src'
import { freshBus, until } from '../support/bus'
import { encoded, hexFrame } from '../support/frame-bytes'
import { payloadsAt } from '../support/payloads'
import { helloFields, rawPeers } from '../support/raw-peer'

const order = (id: number) => ({
  id,
  item: { sku: 'a', count: 1 },
  ...(id % 7 === 0 && { note: 'x' }),
  tags: ['x', id],
})
const ORDERS = Array.from({ length: 200 }, (_, id) => order(id))
const SKILLS = { bigints: true, records: true, window: 2 ** 20 }

describe('An object that is sent again and again', () => {
  const bus = freshBus()
  const { connect, dial } = rawPeers()
  let sender: Endpoint

  beforeEach(async () => {
    sender = await bus.start('sender')
  })

  const sendAll = async () => {
    for (const payload of ORDERS) await sender.broadcast('order', payload)
  }

  it('arrives as it is at each peer and at its own endpoint, whenever they have joined', async () => {
    const received = [await payloadsAt(sender, 'order'), await payloadsAt(await bus.start('early'), 'order')]
    await sendAll()
    received.push(await payloadsAt(await bus.start('late'), '>'))
    await sendAll()
    await until(() => received.every(({ length }, index) => length === (index < 2 ? 400 : 200)))
    const [own, early, late] = received
    expect(own).to.deep.equal([...ORDERS, ...ORDERS])
    expect(early).to.deep.equal([...ORDERS, ...ORDERS])
    expect(late).to.deep.equal(ORDERS)
  })

  it('comes without its keys, which come once for a link', async () => {
    const peer = await connect(sender, SKILLS)
    await peer.want({ type: 'order' })
    await sendAll()
    await until(() => peer.heardOf('event').length === 200)
    expect(peer.heardOf('event').map(({ payload }) => payload)).to.deep.equal(ORDERS)
    const shapes = peer.heardOf('shape').map(({ keys }) => keys)
    expect(shapes).to.deep.equal([
      ['sku', 'count'],
      ['id', 'item', 'tags'],
      ['id', 'item', 'note', 'tags'],
    ])
    const other = await connect(sender, { ...SKILLS, name: 'other', id: '000000000zzzy' })
    await other.want({ type: 'order' })
    await sender.broadcast('order', order(1))
    await until(() => other.heardOf('event').length === 1 && peer.heardOf('event').length === 201)
    expect(other.heardOf('shape').map(({ keys }) => keys)).to.deep.equal(shapes)
    expect(peer.heardOf('shape')).to.have.length(3)
  })

  for (const [what, hello] of Object.entries({ records: { bigints: true }, 'large integers': { records: true } })) {
    it(`comes with its keys to all while one of its receivers takes no ${what}`, async () => {
      const old = await connect(sender, { ...hello, name: 'old', id: '000000000zzzy' })
      const peer = await connect(sender, SKILLS)
      for (const each of [old, peer]) await each.want({ type: 'order' })
      await sendAll()
      await until(() => old.heardOf('event').length === 200 && peer.heardOf('event').length === 200)
      expect(old.heardOf('event').map(({ payload }) => payload)).to.deep.equal(ORDERS)
      expect([...old.heardOf('shape'), ...peer.heardOf('shape')]).to.deep.equal([])
      old.destroy()
      await until(() => sender.peers.length === 1)
      await sendAll()
      await until(() => peer.heardOf('event').length === 400)
      expect(peer.heardOf('event').map(({ payload }) => payload)).to.deep.equal([...ORDERS, ...ORDERS])
      expect(peer.heardOf('shape')).to.have.length(3)
    })
  }

  it('is too large for a peer as a record where it is too large with its keys', async () => {
    sender.on('error', () => {})
    const rows = Array.from({ length: 100 }, (_, id) => ({ identifier: id, description: 'x'.repeat(10), quantity: 1 }))
    const small = await connect(sender, { ...SKILLS, frameLimit: 4096 })
    const large = await connect(sender, { ...SKILLS, name: 'large', id: '000000000zzzy' })
    for (const peer of [small, large]) await peer.want({ type: 'order' })
    for (let times = 0; times < 3; times++) await sender.broadcast('order', rows)
    await until(() => large.heardOf('event').length === 3)
    expect(large.heardOf('shape')).to.have.length(1)
    await until(() => small.heardOf('gap').length > 0)
    expect(small.heardOf('event')).to.deep.equal([])
  })

  it('keeps its keys if they are not well-formed, as two of them may arrive as the same', async () => {
    const received = [await payloadsAt(sender, 'order'), await payloadsAt(await bus.start('receiver'), 'order')]
    const odd = (number: number) => ({ '\ud800': number, '\ud801': number, last: number })
    for (let number = 0; number < 40; number++) await sender.broadcast('order', odd(number))
    await until(() => received.every(({ length }) => length === 40))
    for (const payloads of received) {
      expect(payloads).to.deep.equal(Array.from({ length: 40 }, (_, number) => ({ '\ufffd': number, last: number })))
    }
  })

  it('arrives at the members of queues too', async () => {
    const members = await Promise.all(['one', 'two'].map((name) => bus.start(name)))
    const received: unknown[] = []
    for (const member of members) {
      await member.subscribe('order', ({ payload }) => void received.push(payload), { queue: 'orders' }).ready
    }
    const plain = await payloadsAt(members[0] ?? sender, 'order')
    await sendAll()
    await until(() => received.length === 200 && plain.length === 200)
    expect(plain).to.deep.equal(ORDERS)
    expect(new Set(received.map((payload) => JSON.stringify(payload)))).to.have.property('size', 200)
  })

  it('may come as a record from a peer in events and requests', async () => {
    const peer = await connect(sender, SKILLS)
    const payloads = await payloadsAt(sender, 'order')
    await sender.respond('echo', ({ payload }) => payload).ready
    peer.say({ kind: 'shape', keys: ['id', 'price'] })
    peer.sayBytes(hexFrame('9305a56f72646572 c1000763'))
    peer.sayBytes(hexFrame('940d01a46563686f 91c1000763'))
    expect(await peer.hears('response')).to.deep.include({ payload: [{ id: 7, price: 99 }] })
    expect(payloads).to.deep.equal([{ id: 7, price: 99 }])
  })

  const wrong: Readonly<Record<string, Buffer>> = {
    'a record whose keys it has not told': hexFrame('9305a56f72646572 c1000763'),
    'a shape without keys': encoded({ kind: 'shape', keys: [] }),
    'too many shapes': Buffer.concat(Array.from({ length: 257 }, () => encoded({ kind: 'shape', keys: ['a'] }))),
  }
  for (const [what, bytes] of Object.entries(wrong)) {
    it(`is refused from a peer that sends ${what}`, async () => {
      const peer = await connect(sender, SKILLS)
      peer.sayBytes(bytes)
      await peer.closed()
      expect(peer.goodbye).to.equal('malformed')
    })
  }

  it('has no keys told before the link is up', async () => {
    const peer = dial(sender)
    peer.say(helloFields(SKILLS), { kind: 'shape', keys: ['id'] }, { kind: 'ready' })
    await peer.closed()
    expect(peer.goodbye).to.equal('unexpected-message')
  })
})
