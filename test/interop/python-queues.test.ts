import { expect } from 'chai'
import { Endpoint } from '../../src'
import { useBus } from '../multiprocess/bus'
import { until } from '../multiprocess/until'
import { HeldHandler } from '../support/held-handler'
import { describeWithPython } from './describe-with-python'
import { PythonPeer } from './python-peer'

describeWithPython('a peer in Python, in a queue whose members say how many events they take,', test)

function test(python: string): void {
  const bus = useBus()
  let snake: PythonPeer | undefined

  afterEach(async () => {
    await snake?.end()
    snake = undefined
  })

  /** A peer in Python that is linked with all of these. */
  async function join(endpoints: readonly Endpoint[]): Promise<PythonPeer> {
    const peer = new PythonPeer(python, [bus.directory, 'snake'])
    snake = peer
    await Promise.all(endpoints.map((endpoint) => endpoint.waitUntilConnectedTo('snake')))
    for (const { name } of endpoints) await peer.reported('joined', ({ peer }) => peer === name)
    return peer
  }

  const numberOf = (payload: unknown) => Number(Reflect.get(Object(payload), 'number'))
  const numbersOf = (payloads: readonly unknown[]) => payloads.map(numberOf).sort((one, other) => one - other)
  const handledBy = (peer: PythonPeer) => numbersOf(peer.reportsOf('assigned').map(({ payload }) => payload))
  const numbers = (count: number) => Array.from({ length: count }, (_, number) => number)
  const member = { type: 'job', queue: 'workers', member: 1, capacity: 3 }

  /** An endpoint that has broadcast events, of which a member in Python has begun the first and has two more in hand. */
  async function workInHand(events = 5): Promise<[Endpoint, PythonPeer]> {
    const host = await bus.join('host')
    const peer = await join([host])
    await peer.want(member)
    for (const number of numbers(events)) await host.broadcast('job', { number, hold: number === 0 })
    await peer.reported('held')
    const waiting = events - 3
    expect(host.queues()).to.deep.equal([
      { name: 'workers', members: 1, inHand: 3, waiting, returned: 0, redelivered: 0, dead: 0 },
    ])
    return [host, peer]
  }

  /** Another member, with the numbers of the events that it has handled. */
  async function joinWorker(name: string): Promise<readonly unknown[]> {
    const worker = await bus.join(name)
    const handled: unknown[] = []
    worker.subscribe('job', ({ payload }) => handled.push(payload), { queue: 'workers', prefetch: 1 })
    return handled
  }

  it('takes as many events as it has said, and the next when it has handled one', async () => {
    const [host, peer] = await workInHand()
    peer.finish()
    await until(() => handledBy(peer).length === 5)
    expect(peer.reportsOf('assigned').map(({ payload }) => numberOf(payload))).to.deep.equal(numbers(5))
    await until(() => host.queues()[0]?.inHand === 0)
  })

  it('leaves to others what it has not begun when it is killed', async () => {
    const [host, peer] = await workInHand()
    const unfinished: unknown[] = []
    host.on('lost', (_, loss) => unfinished.push(loss.unfinished, ...loss.unfinishedEvents))
    peer.signal('SIGKILL')
    await until(() => unfinished.length > 0)
    expect(unfinished).to.deep.equal([
      1,
      { type: 'job', payload: { number: 0, hold: true }, origin: 'host', headers: {} },
    ])
    const handled = await joinWorker('other')
    await until(() => handled.length === 4)
    expect(numbersOf(handled)).to.deep.equal([1, 2, 3, 4])
  })

  it('returns what it has not begun when it unsubscribes, and finishes the rest', async () => {
    const [host, peer] = await workInHand()
    await peer.waive(member)
    const handled = await joinWorker('other')
    await until(() => handled.length === 4)
    expect(numbersOf(handled)).to.deep.equal([1, 2, 3, 4])
    expect(host.queues()[0]).to.include({ inHand: 1, returned: 2 })
    peer.finish()
    await until(() => host.queues()[0]?.inHand === 0)
    expect(handledBy(peer)).to.deep.equal([0])
  })

  it('returns what others may have when it leaves, and finishes the rest', async () => {
    const [host, peer] = await workInHand()
    const left: unknown[] = []
    host.on('left', ({ name }, { unfinished }) => left.push(name, unfinished))
    const handled = await joinWorker('other')
    await peer.reported('joined', ({ peer }) => peer === 'other')
    await until(() => handled.length === 2)
    const gone = peer.leave()
    await until(() => handled.length === 4)
    peer.finish()
    await gone
    await until(() => left.length > 0)
    expect(left).to.deep.equal(['snake', 0])
    expect([numbersOf(handled), handledBy(peer)]).to.deep.equal([[1, 2, 3, 4], [0]])
  })

  it('handles what it has in hand when its sender has left', async () => {
    const [host, peer] = await workInHand(3)
    await host.close()
    await peer.reported('left')
    peer.finish()
    await until(() => handledBy(peer).length === 3)
    expect(handledBy(peer)).to.deep.equal([0, 1, 2])
  })

  it('gives each of its events to one member, and no member more than it takes', async () => {
    const [one, two] = [await bus.join('one'), await bus.join('two')]
    const handled: unknown[] = []
    const running = { now: 0, most: 0 }
    const handle = async ({ payload }: { readonly payload: unknown }) => {
      running.most = Math.max(running.most, ++running.now)
      await new Promise(setImmediate)
      running.now--
      handled.push(payload)
    }
    const peer = await join([one, two])
    const shares = [
      one.subscribe('job', handle, { queue: 'workers', prefetch: 0, concurrency: 2 }),
      two.subscribe('job', handle, { queue: 'workers', prefetch: 3 }),
    ]
    await Promise.all(shares.map(({ ready }) => ready))
    peer.broadcast('job', {}, 500)
    await until(() => handled.length >= 500)
    expect(numbersOf(handled)).to.deep.equal(numbers(500))
    expect(running.most).to.equal(3)
    expect(peer.reportsOf('lost')).to.deep.equal([])
  })

  it('gives others what a member has returned, or had not begun when it closed', async () => {
    const [one, two] = [await bus.join('one'), await Endpoint.start({ name: 'two', directory: bus.directory })]
    const peer = await join([one, two])
    const held = [new HeldHandler(), new HeldHandler()]
    const [first, second] = [one, two].map((endpoint, index) => {
      return endpoint.subscribe('job', (event) => held[index]?.handle(event), { queue: 'workers', prefetch: 2 })
    })
    await Promise.all([first?.ready, second?.ready])
    peer.broadcast('job', {}, 6)
    await until(() => held.every(({ begun }) => begun.length === 1))
    await until(() => first?.pending === 3 && second?.pending === 3)
    first?.unsubscribe()
    await two.close({ timeout: 20 }).catch(() => {})
    const handled = await joinWorker('three')
    await until(() => handled.length === 4)
    const begun = held.flatMap((handler) => handler.begun)
    expect(numbersOf([...handled, ...begun])).to.deep.equal(numbers(6))
    const report = await peer.reported('unfinished')
    expect(report).to.deep.include({ peer: 'two', payloads: held[1]?.begun })
    held[0]?.release()
  })

  it('may leave: what it has given is handled', async () => {
    const host = await bus.join('host')
    const peer = await join([host])
    const held = new HeldHandler()
    const share = host.subscribe('job', (event) => held.handle(event), { queue: 'workers', prefetch: 9 })
    await share.ready
    peer.broadcast('job', {}, 10)
    await until(() => share.pending === 10)
    await peer.leave()
    held.release()
    await until(() => held.ended.length === 10)
    expect(held.ended.map(numberOf)).to.deep.equal(numbers(10))
  })
}
