import { expect } from 'chai'
import * as v from 'valibot'
import { defineEvent, type Event, NoSubscribers } from '../../src'
import { freshBus, until } from '../support/bus'

describe('An event with redeliver', () => {
  const bus = freshBus()
  const WORK = { queue: 'workers', prefetch: 0 }

  it('is given to members again as long as their handlers fail, and says how often', async () => {
    const { sender, one, two } = await bus.startAll('sender', 'one', 'two')
    for (const endpoint of [one, two]) endpoint.on('error', () => {})
    const Job = defineEvent<number>('job.flaky', { redeliver: 3, redeliverOnError: true })
    const begun: (number | undefined)[] = []
    const work = ({ redelivered }: Event<number>) => {
      begun.push(redelivered)
      if (begun.length < 3) throw new Error('not yet')
    }
    for (const endpoint of [one, two]) await endpoint.subscribe(Job, work, WORK).ready
    await sender.broadcast(Job, 1)
    await until(() => begun.length === 3 && sender.queues()[0]?.inHand === 0)
    expect(begun).to.deep.equal([undefined, 1, 2])
    expect(sender.queues()).to.deep.include.members([
      { name: 'workers', members: 2, inHand: 0, waiting: 0, returned: 0, redelivered: 2, dead: 0 },
    ])
  })

  it('is broadcast as a dead letter after the last time', async () => {
    const { sender, worker, morgue } = await bus.startAll('sender', 'worker', 'morgue')
    worker.on('error', () => {})
    const Job = defineEvent<string>('job.doomed', { redeliver: 2, redeliverOnError: true, deadLetter: 'job.dead' })
    let calls = 0
    await worker.subscribe(Job, () => Promise.reject(new Error(`call ${++calls}`)), WORK).ready
    const dead: unknown[] = []
    await morgue.subscribe('job.dead', ({ payload }) => dead.push(payload)).ready
    await sender.broadcast(Job, 'bad')
    await until(() => dead.length === 1)
    expect({ dead, calls }).to.deep.equal({ dead: ['bad'], calls: 3 })
    expect(sender.queues()[0]).to.include({ inHand: 0, redelivered: 2, dead: 1 })
  })

  it('reports a dead letter that nobody subscribes to', async () => {
    const { sender, worker } = await bus.startAll('sender', 'worker')
    worker.on('error', () => {})
    const errors: unknown[] = []
    sender.on('error', (error) => errors.push(error instanceof NoSubscribers && error.event?.payload))
    const Job = defineEvent<string>('job.forgotten', { redeliverOnError: true, deadLetter: 'job.nowhere' })
    await worker.subscribe(Job, () => Promise.reject(new Error('no')), WORK).ready
    await sender.broadcast(Job, 'bad')
    await until(() => errors.length === 1)
    expect(errors).to.deep.equal(['bad'])
  })

  it('is given again too where the schema of a member refuses it, and then is a dead letter', async () => {
    const { sender, strict } = await bus.startAll('sender', 'strict')
    const errors: string[] = []
    strict.on('error', ({ code }) => errors.push(code))
    const Job = defineEvent<number>('job.odd', { redeliver: 1, redeliverOnError: true, deadLetter: 'job.odd.dead' })
    const Even = defineEvent('job.odd', v.pipe(v.number(), v.multipleOf(2)))
    await strict.subscribe(Even, () => {}, WORK).ready
    const dead: unknown[] = []
    await sender.subscribe('job.odd.dead', ({ payload }) => dead.push(payload)).ready
    await sender.broadcast(Job, 3)
    await until(() => dead.length === 1 && errors.length === 2)
    expect([dead, errors]).to.deep.equal([[3], ['LAHJA_INVALID_PAYLOAD', 'LAHJA_INVALID_PAYLOAD']])
  })

  it('is told to its sender as unfinished after the last time, where there is no type for dead letters', async () => {
    const { sender, worker } = await bus.startAll('sender', 'worker')
    for (const endpoint of [sender, worker]) endpoint.on('error', () => {})
    const unfinished: unknown[] = []
    sender.on('unfinished', ({ peer, event }) => unfinished.push([peer.name, event]))
    const Job = defineEvent<string>('job.hopeless', { redeliver: 1, redeliverOnError: true })
    let calls = 0
    const fail = () => Promise.reject(new Error(`call ${++calls}`))
    const subscription = worker.subscribe(Job, fail, WORK)
    await subscription.ready
    await sender.broadcast(Job, 'bad')
    await until(() => unfinished.length === 1 && sender.queues()[0]?.inHand === 0)
    subscription.unsubscribe()
    await sender.subscribe(Job, fail, WORK).ready
    await until(() => sender.queues()[0]?.members === 1)
    await sender.broadcast(Job, 'worse')
    await until(() => unfinished.length === 2)
    const eventOf = (payload: string) => ({
      type: 'job.hopeless',
      payload,
      origin: 'sender',
      headers: {},
      redelivered: 1,
    })
    expect(unfinished).to.deep.equal([
      ['worker', eventOf('bad')],
      ['sender', eventOf('worse')],
    ])
    expect(calls).to.equal(4)
  })

  it('is waited for by its sender as it closes, as it may fail', async () => {
    const { sender, worker } = await bus.startAll('sender', 'worker')
    worker.on('error', () => {})
    const Job = defineEvent<string>('job.parting', { redeliver: 1, redeliverOnError: true })
    const begun: (number | undefined)[] = []
    let fail = () => {}
    const first = new Promise<void>((_, reject) => {
      fail = () => reject(new Error('not yet'))
    })
    const work = ({ redelivered }: Event<string>) => {
      begun.push(redelivered)
      return redelivered === undefined ? first : undefined
    }
    await worker.subscribe(Job, work, WORK).ready
    await sender.broadcast(Job, 'late')
    await until(() => begun.length === 1)
    const closed = sender.close({ timeout: 20_000 })
    await until(() => worker.peers.every(({ subscriptions }) => subscriptions.length === 0))
    fail()
    await closed
    expect(begun).to.deep.equal([undefined, 1])
  })

  it('is given again once its delay is over, and counts as waiting until then', async () => {
    const { sender, worker } = await bus.startAll('sender', 'worker')
    worker.on('error', () => {})
    const Job = defineEvent<void>('job.later', { redeliver: 1, redeliverOnError: true, redeliverDelay: 100 })
    const times: number[] = []
    const work = () => {
      times.push(performance.now())
      if (times.length === 1) throw new Error('not yet')
    }
    await worker.subscribe(Job, work, WORK).ready
    await sender.broadcast(Job)
    await until(() => sender.queues()[0]?.waiting === 1)
    await until(() => times.length === 2)
    expect((times[1] ?? 0) - (times[0] ?? 0)).to.be.at.least(99)
  })

  it('is not given again after an error unless its type says so', async () => {
    const { sender, worker } = await bus.startAll('sender', 'worker')
    const errors: unknown[] = []
    worker.on('error', ({ code }) => errors.push(code))
    const Job = defineEvent<void>('job.once', { redeliver: 5 })
    await worker.subscribe(Job, () => Promise.reject(new Error('no')), WORK).ready
    await sender.broadcast(Job)
    await until(() => errors.length === 1 && sender.queues()[0]?.inHand === 0)
    expect(sender.queues()[0]).to.include({ waiting: 0, redelivered: 0 })
  })

  for (const [name, value] of Object.entries({
    redeliver: -1,
    redeliverOnError: 'yes',
    redeliverDelay: 0.5,
    deadLetter: 'job.wrong',
  })) {
    it(`is refused with ${name} ${value}`, () => {
      expect(() => defineEvent('job.wrong', { [name]: value })).to.throw(`${name} of job.wrong`)
    })
  }
})
