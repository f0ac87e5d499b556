import { expect } from 'chai'
import { CloseTimeout, defineEvent, type LahjaError, NoSubscribers, OutboxOverflow } from '../../src'
import { freshBus, until } from '../support/bus'
import { rejection } from '../support/rejection'

describe('An event with hold', () => {
  const bus = freshBus()
  const LONG = 60_000

  for (const [members, prefetch] of [
    ['that says how many it takes', { prefetch: 1 }],
    ["that doesn't say how many it takes", { prefetch: Number.POSITIVE_INFINITY }],
  ] as const) {
    it(`waits for the first member of a queue ${members}, in order`, async () => {
      const { sender, worker } = await bus.startAll('sender', 'worker')
      const Job = defineEvent<number>(`job.held.${prefetch.prefetch}`, { hold: LONG })
      for (let number = 0; number < 100; number++) expect(await sender.broadcast(Job, number)).to.equal(1)
      expect(sender.queues()).to.have.lengthOf(1)
      expect(sender.queues()[0]).to.include({ name: '', members: 0, waiting: 100 })
      const handled: number[] = []
      const work = ({ payload }: { payload: number }) => handled.push(payload)
      await worker.subscribe(Job, work, { queue: 'workers', ...prefetch }).ready
      await until(() => handled.length === 100)
      expect(handled).to.deep.equal(Array.from({ length: 100 }, (_, number) => number))
      await until(() => sender.queues().every(({ name, waiting }) => name !== '' && waiting === 0))
    })
  }

  it('reaches other subscribers at once, and does not wait if a queue has a member', async () => {
    const { sender, worker, watcher } = await bus.startAll('sender', 'worker', 'watcher')
    const Job = defineEvent<string>('job.watched', { hold: LONG })
    const seen: string[] = []
    const handled: string[] = []
    await watcher.subscribe(Job, ({ payload }) => seen.push(payload)).ready
    expect(await sender.broadcast(Job, 'first')).to.equal(2)
    await until(() => seen.length === 1)
    await worker.subscribe(Job, ({ payload }) => handled.push(payload), { queue: 'workers', prefetch: 0 }).ready
    await until(() => handled.length === 1)
    await sender.broadcast(Job, 'second')
    await until(() => handled.length === 2 && seen.length === 2)
    expect([seen, handled]).to.deep.equal([
      ['first', 'second'],
      ['first', 'second'],
    ])
  })

  it('waits for a member that may have it, at the endpoints that it is for', async () => {
    const { sender, one, two } = await bus.startAll('sender', 'one', 'two')
    const Job = defineEvent<string>('job.addressed', { hold: LONG })
    expect(await sender.broadcast(Job, 'for two', { to: 'two', requireSubscriber: true })).to.equal(1)
    expect(await sender.broadcast(Job, 'for all')).to.equal(1)
    const handled: string[] = []
    const work = { queue: 'workers', prefetch: 0 }
    await one.subscribe(Job, ({ payload }) => handled.push(`one: ${payload}`), work).ready
    await until(() => handled.length === 1)
    expect(sender.queues().find(({ name }) => name === '')).to.include({ waiting: 1 })
    await two.subscribe(Job, ({ payload }) => handled.push(`two: ${payload}`), work).ready
    await until(() => handled.length === 2)
    expect(handled).to.deep.equal(['one: for all', 'two: for two'])
  })

  it('waits as long as its broadcast says, whatever its definition does', async () => {
    const { sender, worker } = await bus.startAll('sender', 'worker')
    const errors: LahjaError[] = []
    sender.on('error', (error) => errors.push(error))
    const Brief = defineEvent<string>('job.brief', { hold: 1 })
    expect(await sender.broadcast('job.plain', 'plain', { waitForMember: LONG, requireSubscriber: true })).to.equal(1)
    expect(sender.broadcastNowait(Brief, 'brief', { waitForMember: LONG })).to.equal(true)
    expect(await sender.broadcast(Brief, 'over')).to.equal(1)
    expect(await sender.broadcast('job.plain', 'lost')).to.equal(0)
    await until(() => errors.length === 1)
    expect(errors[0]).to.be.instanceOf(NoSubscribers).with.nested.property('event.payload', 'over')
    const handled: unknown[] = []
    await worker.subscribe('job.*', ({ payload }) => handled.push(payload), { queue: 'workers' }).ready
    await until(() => handled.length === 2)
    expect(handled).to.deep.equal(['plain', 'brief'])
  })

  it('survives a restart of all workers', async () => {
    const sender = await bus.start('sender')
    const Job = defineEvent<number>('job.restarted', { hold: LONG })
    const handled: number[] = []
    let sent = 0
    for (let generation = 0; generation < 4; generation++) {
      const worker = await bus.start('worker')
      await worker.waitUntilConnectedTo('sender')
      await worker.subscribe(Job, ({ payload }) => handled.push(payload), { queue: 'workers', prefetch: 3 }).ready
      for (let left = 0; left < 50; left++) await sender.broadcast(Job, sent++)
      await worker.close()
      for (let left = 0; left < 50; left++) await sender.broadcast(Job, sent++)
    }
    const last = await bus.start('worker')
    await last.subscribe(Job, ({ payload }) => handled.push(payload), { queue: 'workers', prefetch: 3 }).ready
    await until(() => handled.length === sent)
    expect(handled.sort((one, other) => one - other)).to.deep.equal(Array.from({ length: sent }, (_, number) => number))
  })

  it('is reported when its time is over, and handled by nobody', async () => {
    const { sender, worker } = await bus.startAll('sender', 'worker')
    const errors: LahjaError[] = []
    sender.on('error', (error) => errors.push(error))
    const Job = defineEvent<string>('job.brief', { hold: 20 })
    await sender.broadcast(Job, 'late')
    await until(() => errors.length === 1)
    expect(errors[0]).to.be.instanceOf(NoSubscribers)
    expect(errors[0]?.message).to.contain('no queue got a member that may have it within 20 ms')
    expect(errors[0]).to.have.nested.property('event.payload', 'late')
    expect(sender.queues()).to.deep.equal([])
    const handled: string[] = []
    await worker.subscribe(Job, ({ payload }) => handled.push(payload), { queue: 'workers', prefetch: 0 }).ready
    await sender.broadcast(Job, 'in time')
    await until(() => handled.length > 0)
    expect(handled).to.deep.equal(['in time'])
  })

  it('is bounded as those of a queue are, and reported if it is dropped', async () => {
    const sender = await bus.start('sender', { limits: { frameBytes: 8192, outboxBytes: 16_384, highWaterMark: 4096 } })
    const dropped: unknown[] = []
    sender.on('error', (error) => {
      if (error instanceof OutboxOverflow) dropped.push(error.event?.payload)
    })
    const Job = defineEvent<string>('job.many', { hold: LONG, overflow: 'dropOldest' })
    for (let number = 0; number < 100; number++) await sender.broadcast(Job, `${number}`)
    const [{ waiting } = { waiting: 0 }] = sender.queues()
    expect(waiting).to.be.within(10, 60)
    expect(dropped).to.deep.equal(Array.from({ length: 100 - waiting }, (_, number) => `${number}`))
  })

  it('keeps only the latest of a key', async () => {
    const { sender, worker } = await bus.startAll('sender', 'worker')
    const Job = defineEvent<[string, number]>('job.latest', { hold: LONG, overflow: { latest: ([key]) => key } })
    for (let number = 0; number < 10; number++) await sender.broadcast(Job, [number % 2 === 0 ? 'even' : 'odd', number])
    const handled: unknown[] = []
    await worker.subscribe(Job, ({ payload }) => handled.push(payload), { queue: 'workers', prefetch: 0 }).ready
    await until(() => handled.length === 2)
    expect(handled).to.deep.equal([
      ['even', 8],
      ['odd', 9],
    ])
  })

  it('is reported by an endpoint that closes, which does not wait for it', async () => {
    const sender = await bus.start('sender')
    const lost: unknown[] = []
    sender.on('error', (error) => lost.push(error instanceof NoSubscribers && error.event?.payload))
    const Job = defineEvent<string>('job.left', { hold: LONG })
    await sender.broadcast(Job, 'left behind')
    const error = await rejection(() => sender.close())
    expect(error)
      .to.be.instanceOf(CloseTimeout)
      .with.deep.property('undelivered', new Map([['any queue', 1]]))
    expect(lost).to.deep.equal(['left behind'])
  })

  it('keeps its payload by reference if its type is internal', async () => {
    const alone = await bus.start('alone')
    const Job = defineEvent<{ done: () => void }>('job.internal', { hold: LONG, boundary: 'internal' })
    let calls = 0
    await alone.broadcast(Job, { done: () => calls++ })
    await alone.subscribe(Job, ({ payload }) => payload.done(), { queue: 'own', prefetch: 0 }).ready
    await until(() => calls === 1)
  })

  it('is refused by a broadcast whose time is no whole number of milliseconds from 1 on', async () => {
    const { sender } = await bus.startAll('sender')
    for (const waitForMember of [0, -1, 1.5, 2 ** 31, Number.POSITIVE_INFINITY, Number.NaN]) {
      const error = await rejection(sender.broadcast('job', 1, { waitForMember }))
      expect(error, String(waitForMember)).to.have.property('code', 'LAHJA_INVALID_ARGUMENT')
      expect(error.message).to.contain('waitForMember')
    }
    expect(sender.queues()).to.deep.equal([])
  })

  it('is refused where its time is no whole number of milliseconds from 1 on', () => {
    for (const hold of [0, -1, 1.5, Number.POSITIVE_INFINITY, 2 ** 31, '5', null]) {
      expect(() => Reflect.apply(defineEvent, undefined, ['job.refused', { hold }]))
        .to.throw('hold of job.refused: expected a whole number from 1 to 2147483647')
        .with.property('code', 'LAHJA_INVALID_ARGUMENT')
    }
  })
})
