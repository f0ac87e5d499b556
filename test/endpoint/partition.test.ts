import { setImmediate } from 'node:timers/promises'
import { expect } from 'chai'
import { defineEvent, type Endpoint, type Event, OutboxOverflow } from '../../src'
import { freshBus, until } from '../support/bus'
import { rejection } from '../support/rejection'

interface Order {
  readonly customer: string
  readonly number: number
}

const customer = ({ customer }: Order) => customer

/** Members that record which customers' orders they begin, and how many of a customer are being handled at once. */
class Shop {
  readonly begun: { member: string; order: Order }[] = []
  readonly ended: Order[] = []
  most = 0
  readonly #running = new Map<string, number>()

  async open(endpoint: Endpoint, type: Parameters<Endpoint['subscribe']>[0], turns = 3): Promise<() => void> {
    const handle = async ({ payload }: Event<unknown>) => {
      const order = payload as Order
      this.begun.push({ member: endpoint.name, order })
      const running = (this.#running.get(order.customer) ?? 0) + 1
      this.#running.set(order.customer, running)
      this.most = Math.max(this.most, running)
      for (let left = (order.number * 7) % turns; left >= 0; left--) await setImmediate()
      this.#running.set(order.customer, running - 1)
      this.ended.push(order)
    }
    const subscription = endpoint.subscribe(type, handle, { queue: 'shop', concurrency: 4, prefetch: 3 })
    await subscription.ready
    return () => subscription.unsubscribe()
  }

  numbersOf(name: string): number[] {
    return this.begun.filter(({ order }) => order.customer === name).map(({ order }) => order.number)
  }

  membersOf(name: string): string[] {
    return [...new Set(this.begun.filter(({ order }) => order.customer === name).map(({ member }) => member))]
  }
}

const CUSTOMERS = Array.from({ length: 12 }, (_, index) => `customer ${index}`)
const NUMBERS = Array.from({ length: 40 }, (_, index) => index)

describe('Events with a partition', () => {
  const bus = freshBus()

  async function placeAll(
    sender: Endpoint,
    type: Parameters<Endpoint['broadcast']>[0],
    numbers = NUMBERS,
  ): Promise<void> {
    for (const number of numbers) for (const name of CUSTOMERS) await sender.broadcast(type, { customer: name, number })
  }

  it('are handled one after another and by one member, for each key', async () => {
    const { sender, one, two, three } = await bus.startAll('sender', 'one', 'two', 'three')
    const Placed = defineEvent<Order>('order.placed', { partition: customer })
    const shop = new Shop()
    for (const endpoint of [one, two, three]) await shop.open(endpoint, Placed)
    await placeAll(sender, Placed)
    await until(() => shop.ended.length === CUSTOMERS.length * NUMBERS.length)
    for (const name of CUSTOMERS) {
      expect(shop.numbersOf(name)).to.deep.equal(NUMBERS)
      expect(shop.membersOf(name)).to.have.lengthOf(1)
    }
    expect(shop.most).to.equal(1)
    expect(new Set(shop.begun.map(({ member }) => member)))
      .to.have.property('size')
      .above(1)
  })

  it('stay with their member when another one joins, and move in order when it leaves', async () => {
    const { sender, one, two } = await bus.startAll('sender', 'one', 'two')
    const Placed = defineEvent<Order>('order.moved', { partition: customer })
    const shop = new Shop()
    const leave = await shop.open(one, Placed)
    await placeAll(sender, Placed, NUMBERS.slice(0, 10))
    await until(() => shop.ended.length === 10 * CUSTOMERS.length)
    await shop.open(two, Placed)
    const placed = placeAll(sender, Placed, NUMBERS.slice(10))
    await until(() => shop.ended.length > 20 * CUSTOMERS.length)
    for (const name of CUSTOMERS) expect(shop.membersOf(name)).to.deep.equal(['one'])
    leave()
    await placed
    await until(() => shop.ended.length === CUSTOMERS.length * NUMBERS.length)
    for (const name of CUSTOMERS) expect(shop.numbersOf(name)).to.deep.equal(NUMBERS)
    expect(shop.most).to.equal(1)
  })

  it('go to the same member from all senders that know the same members', async () => {
    const { here, there, one, two, three } = await bus.startAll('here', 'there', 'one', 'two', 'three')
    const Placed = defineEvent<Order>('order.shared', { partition: customer })
    const shop = new Shop()
    for (const endpoint of [one, two, three]) await shop.open(endpoint, Placed)
    for (const sender of [here, there]) await placeAll(sender, Placed, [1, 2, 3])
    await until(() => shop.ended.length === 6 * CUSTOMERS.length)
    for (const name of CUSTOMERS) expect(shop.membersOf(name)).to.have.lengthOf(1)
  })

  it('share an order across types that have the same keys', async () => {
    const { sender, one, two } = await bus.startAll('sender', 'one', 'two')
    const Placed = defineEvent<Order>('sale.placed', { partition: customer })
    const Paid = defineEvent<Order>('sale.paid', { partition: customer })
    const shop = new Shop()
    for (const endpoint of [one, two]) await shop.open(endpoint, 'sale.*')
    for (const number of NUMBERS) await sender.broadcast(number % 2 === 0 ? Placed : Paid, { customer: 'Ada', number })
    await until(() => shop.ended.length === NUMBERS.length)
    expect(shop.numbersOf('Ada')).to.deep.equal(NUMBERS)
    expect(shop.most).to.equal(1)
  })

  it('keep their order when one is given again, at once or after a while', async () => {
    const { sender, one, two } = await bus.startAll('sender', 'one', 'two')
    for (const endpoint of [one, two]) endpoint.on('error', () => {})
    for (const redeliverDelay of [0, 30]) {
      const options = { partition: customer, redeliver: 3, redeliverOnError: true, redeliverDelay }
      const Placed = defineEvent<Order>(`order.again.${redeliverDelay}`, options)
      const begun: number[] = []
      const work = async ({ payload, redelivered = 0 }: Event<Order>) => {
        begun.push(payload.number)
        await setImmediate()
        if (payload.number % 3 === 0 && redelivered < 2) throw new Error('not yet')
      }
      const subscriptions = [one, two].map((endpoint) =>
        endpoint.subscribe(Placed, work, { queue: 'shop', concurrency: 2, prefetch: 2 }),
      )
      for (const { ready } of subscriptions) await ready
      for (let number = 0; number < 7; number++) await sender.broadcast(Placed, { customer: 'Ada', number })
      await until(() => begun.length === 13)
      expect(begun).to.deep.equal([0, 0, 0, 1, 2, 3, 3, 3, 4, 5, 6, 6, 6])
      for (const subscription of subscriptions) subscription.unsubscribe()
    }
  })

  it('are all handled before their sender has closed', async () => {
    const { sender, one, two } = await bus.startAll('sender', 'one', 'two')
    const Placed = defineEvent<Order>('order.closing', { partition: customer })
    const shop = new Shop()
    for (const endpoint of [one, two]) await shop.open(endpoint, Placed)
    await placeAll(sender, Placed, NUMBERS.slice(0, 10))
    await sender.close()
    await until(() => shop.ended.length === 10 * CUSTOMERS.length)
    for (const name of CUSTOMERS) expect(shop.numbersOf(name)).to.deep.equal(NUMBERS.slice(0, 10))
  })

  it('are dropped from the oldest one on where too many wait behind one that is handled', async () => {
    const limits = { frameBytes: 8192, outboxBytes: 16_384, highWaterMark: 4096 }
    const { sender, worker } = await bus.startEach({ sender: { limits }, worker: {} })
    const Placed = defineEvent<Order>('order.flood', { partition: customer, overflow: 'dropOldest' })
    const dropped: unknown[] = []
    sender.on('error', (error) => {
      if (error instanceof OutboxOverflow) dropped.push(Object(error.event?.payload).number)
    })
    const handled: number[] = []
    let release = () => {}
    const released = new Promise<void>((resolve) => {
      release = resolve
    })
    const work = async ({ payload }: Event<Order>) => {
      handled.push(payload.number)
      await released
    }
    await worker.subscribe(Placed, work, { queue: 'shop', prefetch: 0 }).ready
    for (let number = 0; number < 100; number++) await sender.broadcast(Placed, { customer: 'Ada', number })
    await until(() => handled.length === 1 && dropped.length > 40)
    expect(dropped).to.deep.equal(dropped.map((_, index) => index + 1))
    release()
    await until(() => handled.length + dropped.length === 100)
    expect(handled).to.deep.equal([0, ...handled.slice(1).map((_, index) => dropped.length + 1 + index)])
    expect(sender.queues()[0]).to.include({ waiting: 0 })
  })

  it('wait for a queue in order if their type has a hold too', async () => {
    const { sender, worker } = await bus.startAll('sender', 'worker')
    const Placed = defineEvent<Order>('order.held', { partition: customer, hold: 60_000 })
    const shop = new Shop()
    await placeAll(sender, Placed, NUMBERS.slice(0, 10))
    await shop.open(worker, Placed)
    await until(() => shop.ended.length === 10 * CUSTOMERS.length)
    for (const name of CUSTOMERS) expect(shop.numbersOf(name)).to.deep.equal(NUMBERS.slice(0, 10))
    expect(shop.most).to.equal(1)
  })

  it('go to members without prefetch too, in order', async () => {
    const { sender, worker } = await bus.startAll('sender', 'worker')
    const Placed = defineEvent<Order>('order.assigned', { partition: customer, hold: 60_000 })
    const handled: number[] = []
    for (let number = 0; number < 5000; number++) sender.broadcastNowait(Placed, { customer: 'Ada', number })
    await worker.subscribe(Placed, ({ payload }) => handled.push(payload.number), { queue: 'shop' }).ready
    await until(() => handled.length === 5000)
    expect(handled).to.deep.equal([...handled].sort((one, other) => one - other))
  })

  it('are refused with a partition that is no function, throws, or returns no key, whoever subscribes', async () => {
    for (const partition of ['customer', 1, null, {}]) {
      expect(() => Reflect.apply(defineEvent, undefined, ['order.refused', { partition }])).to.throw(
        'partition of order.refused: expected a function that returns a key',
      )
    }
    const { sender, worker } = await bus.startAll('sender', 'worker')
    const handled: unknown[] = []
    const broken = () => {
      throw new Error('broken on purpose')
    }
    const types = [
      defineEvent<Order>('order.throws', { partition: broken }),
      defineEvent<Order>('order.keyless', { partition: () => Object(undefined) }),
    ]
    const order = { customer: 'Ada', number: 1 }
    const refused = async () => {
      for (const type of types) {
        const error = await rejection(() => sender.broadcast(type, order))
        expect(error).to.have.property('code', 'LAHJA_INVALID_ARGUMENT')
        expect(error.message).to.contain(`partition of event ${type.name}`)
      }
    }
    await refused()
    for (const type of types) await worker.subscribe(type, (event) => handled.push(event)).ready
    await refused()
    for (const type of types)
      await worker.subscribe(type, (event) => handled.push(event), { queue: 'shop', prefetch: 0 }).ready
    await refused()
    await sender.broadcast('order.throws', order)
    await until(() => handled.length === 2)
  })
})
