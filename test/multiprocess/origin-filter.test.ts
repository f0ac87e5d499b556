import { expect } from 'chai'
import type { Audience } from '../../src'
import { DEALT } from '../support/members'
import { useBus } from './bus'
import type { RemoteEndpoint } from './remote-endpoint'
import type { RemoteProcess } from './remote-process'

/** Long enough that no ping is among the counted bytes. */
const NO_PINGS = { pingInterval: 600_000 }

describe('a subscription with an origin filter', () => {
  const bus = useBus('shared')
  let shop: RemoteEndpoint
  let kiosk: RemoteEndpoint
  let bank: RemoteEndpoint
  let listening: RemoteProcess
  let listener: RemoteEndpoint

  before(async () => {
    shop = await bus.start('shop', { groups: ['sellers', 'west'], limits: NO_PINGS })
    kiosk = await bus.start('kiosk', { groups: ['sellers'], limits: NO_PINGS })
    bank = await bus.start('bank', { groups: ['banks', 'west'], limits: NO_PINGS })
    listening = await bus.processes.participant()
  })
  beforeEach(async () => {
    listener = await bus.startIn(listening, 'listener', { groups: ['sellers'], limits: NO_PINGS })
    for (const sender of [shop, kiosk, bank]) await listener.waitUntilConnectedTo(sender.name)
    await listener.subscribe('marker')
  })
  afterEach(() => listener.close())

  /** Resolves when everything that the sender has sent to the listener so far has arrived. */
  async function untilHeard(sender: RemoteEndpoint): Promise<void> {
    const before = (await listener.received('marker')).length
    expect(await sender.broadcast('marker')).to.equal(1)
    await listener.untilReceived('marker', before + 1)
  }

  const CASES: readonly [what: string, from: Audience, heard: readonly string[]][] = [
    ['one name', 'shop', ['shop']],
    ['several names', ['shop', 'bank', 'nobody'], ['shop', 'bank']],
    ['a group', { group: 'sellers' }, ['shop', 'kiosk']],
    ['one of the two groups of a peer', { group: 'west' }, ['shop', 'bank']],
    ['a group without members', { group: 'east' }, []],
    ['no name', [], []],
  ]

  for (const [what, from, heard] of CASES) {
    it(`G2: by ${what} receives only matching events, and others are not sent`, async () => {
      await listener.subscribe('price', { from })
      for (const sender of [shop, kiosk, bank]) {
        const isHeard = heard.includes(sender.name)
        await untilHeard(sender)
        const before = await listener.process.bytesRead()
        await untilHeard(sender)
        const markerSize = (await listener.process.bytesRead()) - before

        expect(await sender.broadcast('price', 100), sender.name).to.equal(isHeard ? 1 : 0)
        await untilHeard(sender)
        const bytes = (await listener.process.bytesRead()) - before - 2 * markerSize
        if (isHeard) expect(bytes, sender.name).to.be.above(100)
        else expect(bytes, sender.name).to.equal(0)
      }
      const origins = (await listener.received('price')).map(({ origin }) => origin)
      expect(origins).to.deep.equal(heard.flatMap((name) => Array(100).fill(name)))
    })
  }

  it('matches endpoints that join later, also after a restart', async () => {
    await listener.subscribe('price', { from: { group: 'sellers' } })
    await listener.subscribe('rate', { from: 'mint' })
    const mint = await bus.start('mint')
    mint.process.kill()
    await listener.untilNotice('lost', 'mint')

    const restarted = await bus.start('mint')
    const newcomer = await bus.start('newcomer', { groups: ['sellers'] })
    for (const sender of [restarted, newcomer]) await sender.waitUntilConnectedTo('listener')

    expect(await newcomer.broadcast('price', 1, 1)).to.equal(1)
    expect(await newcomer.broadcast('rate', 1, 2)).to.equal(0)
    expect(await restarted.broadcast('price', 1, 3)).to.equal(0)
    expect(await restarted.broadcast('rate', 1, 4)).to.equal(1)
    for (const sender of [restarted, newcomer]) await untilHeard(sender)
    expect(await listener.received('price')).to.deep.equal([{ origin: 'newcomer', number: 1 }])
    expect(await listener.received('rate')).to.deep.equal([{ origin: 'mint', number: 4 }])
    for (const sender of [restarted, newcomer]) await sender.close()
  })

  it('does not affect other subscriptions in its process', async () => {
    const other = await bus.startIn(listener.process, 'other')
    await other.waitUntilConnectedTo('bank')
    await other.subscribe('price')
    await listener.subscribe('price', { from: 'shop' })

    expect(await bank.broadcast('price')).to.equal(1)
    expect(await shop.broadcast('price')).to.equal(2)

    await other.untilReceived('price', 2)
    await untilHeard(bank)
    expect((await listener.received('price')).map(({ origin }) => origin)).to.deep.equal(['shop'])
    await other.close()
  })

  it('applies to patterns and queues too', async () => {
    const worker = await bus.start('worker')
    const order = { ...DEALT, manner: 'held' } as const
    await worker.subscribe('price.*', { ...order, from: 'shop' })
    await listener.subscribe('price.*', { ...order, from: { group: 'sellers' } })

    expect(await bank.broadcast('price.gold')).to.equal(0)
    expect(await kiosk.broadcast('price.gold', 10)).to.equal(1)
    expect(await shop.broadcast('price.gold', 10)).to.equal(1)

    for (const endpoint of [worker, listener]) await endpoint.finishAll('price.*')
    await worker.untilWork('price.*', { ended: 5 })
    await listener.untilWork('price.*', { ended: 15 })
    const originsOf = async (endpoint: RemoteEndpoint) => {
      return (await endpoint.received('price.gold')).map(({ origin }) => origin).sort()
    }
    expect(await originsOf(worker)).to.deep.equal(Array(5).fill('shop'))
    expect(await originsOf(listener)).to.deep.equal([...Array(10).fill('kiosk'), ...Array(5).fill('shop')])
    await worker.close()
  })
})
