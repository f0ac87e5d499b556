import { expect } from 'chai'
import { type Endpoint, type EndpointOptions, type Peer, RemoteError } from '../../src'
import { useBus } from '../multiprocess/bus'
import { until } from '../multiprocess/until'
import { describeWithPython } from './describe-with-python'
import { PythonPeer } from './python-peer'

describeWithPython('a peer in Python, written from the protocol document,', test)

const EVENTS = 5000

function test(python: string): void {
  const peers: PythonPeer[] = []

  afterEach(async () => {
    await Promise.all(peers.splice(0).map((peer) => peer.end()))
  })
  const bus = useBus()

  function begin(name: string, ...groups: string[]): PythonPeer {
    const peer = new PythonPeer(python, [bus.directory, name, ...groups])
    peers.push(peer)
    return peer
  }

  /** A peer that is linked with all of these. */
  async function join(endpoints: readonly Endpoint[], ...groups: string[]): Promise<PythonPeer> {
    const snake = begin('snake', ...groups)
    await Promise.all(endpoints.map((endpoint) => endpoint.waitUntilConnectedTo('snake')))
    for (const { name } of endpoints) await snake.reported('joined', ({ peer }) => peer === name)
    return snake
  }

  async function joinOne(options: Partial<EndpointOptions> = {}): Promise<[Endpoint, PythonPeer]> {
    const endpoint = await bus.join('host', options)
    return [endpoint, await join([endpoint])]
  }

  const numbers = (count: number) => Array.from({ length: count }, (_, number) => number)

  it('joins and leaves, announced once to each endpoint, and leaves no file', async () => {
    const endpoints = [await bus.join('one'), await bus.join('two', { groups: ['web'] })]
    const notices: string[] = []
    for (const endpoint of endpoints) {
      const note = (notice: string, { name, groups }: Peer) => {
        if (name === 'snake') notices.push(`${endpoint.name}: ${notice} ${groups}`)
      }
      endpoint.on('joined', (peer) => note('joined', peer))
      endpoint.on('left', (peer) => note('left', peer))
      endpoint.on('lost', (peer) => note('lost', peer))
    }
    const snake = await join(endpoints, 'reptiles')
    expect(snake.reportsOf('joined').find(({ peer }) => peer === 'two')?.groups).to.deep.equal(['web'])
    expect(await bus.published()).to.deep.equal(['one', 'snake', 'two'])
    await snake.leave()
    await until(() => notices.length === 4)
    expect(notices.slice(0, 2).sort()).to.deep.equal(['one: joined reptiles', 'two: joined reptiles'])
    expect(notices.slice(2).sort()).to.deep.equal(['one: left reptiles', 'two: left reptiles'])
    expect(await bus.published()).to.deep.equal(['one', 'two'])
  })

  it('is dialled by endpoints that start later', async () => {
    const snake = begin('snake')
    await snake.reported('started')
    const endpoint = await bus.join('late')
    await endpoint.waitUntilConnectedTo('snake')
    await snake.reported('joined', ({ peer }) => peer === 'late')
    await endpoint.close()
    expect(await snake.reported('left')).to.include({ peer: 'late', reason: 'left' })
  })

  it('G4, G6: receives exactly its subscribed events, in order', async () => {
    const [endpoint, snake] = await joinOne()
    await snake.want({ type: 'tick' })
    for (const number of numbers(EVENTS)) {
      await endpoint.broadcast('tick', { number, text: 'snowman ☃, thrice '.repeat(3) })
      if (number % 7 === 0) await endpoint.broadcast('tock', number)
    }
    await until(() => snake.reportsOf('event').length === EVENTS)
    const heard = snake.reportsOf('event')
    expect(heard.map(({ payload }) => Reflect.get(Object(payload), 'number'))).to.deep.equal(numbers(EVENTS))
    expect(heard.every(({ type, origin }) => type === 'tick' && origin === 'host')).to.equal(true)
    expect(heard[0]?.payload).to.deep.equal({ number: 0, text: 'snowman ☃, thrice '.repeat(3) })
    await snake.waive({ type: 'tick' })
    expect(await endpoint.broadcast('tick', { number: -1 })).to.equal(0)
  })

  it('passes over the headers of events, requests and what is assigned to it', async () => {
    const [endpoint, snake] = await joinOne()
    const headers = { tenant: 't1' }
    await snake.want({ type: 'tick' }, { type: 'job', queue: 'workers' }, { type: 'echo', responds: true })
    await endpoint.broadcast('tick', 'payload', { headers })
    await endpoint.broadcast('job', 'work', { headers })
    await snake.reported('event', ({ payload }) => payload === 'payload')
    await snake.reported('assigned', ({ payload }) => payload === 'work')
    expect(await endpoint.request('echo', 'question', { headers })).to.deep.equal({ by: 'snake', echo: 'question' })
  })

  it('G4, G6: delivers all its events in order, also to endpoints with a small window', async () => {
    const endpoints = [await bus.join('wide'), await bus.join('narrow', { limits: { windowBytes: 4096 } })]
    const received = endpoints.map(() => [] as unknown[])
    for (const [index, endpoint] of endpoints.entries()) {
      endpoint.subscribe('hiss.>', ({ payload, origin, type }) => {
        received[index]?.push([type, origin, Reflect.get(Object(payload), 'number')])
      })
    }
    const snake = await join(endpoints)
    snake.broadcast('hiss.loud', { at: [1.5, null, 'ßß'] }, EVENTS)
    await until(() => received.every(({ length }) => length === EVENTS))
    const expected = numbers(EVENTS).map((number) => ['hiss.loud', 'snake', number])
    for (const events of received) expect(events).to.deep.equal(expected)
  })

  it('sends events only to matching subscribers: by name, group and accepts', async () => {
    const [picky, closed, open] = [
      await bus.join('picky'),
      await bus.join('closed', { accepts: ['a.*'] }),
      await bus.join('open'),
    ]
    const received: string[] = []
    for (const endpoint of [picky, closed, open]) {
      const from = endpoint === picky ? ['other'] : { group: 'reptiles' }
      endpoint.subscribe('>', ({ type }) => received.push(`${endpoint.name} ${type}`), { from })
    }
    const snake = await join([picky, closed, open], 'reptiles')
    for (const type of ['a.b', 'a', 'end']) snake.broadcast(type, {})
    await until(() => received.includes('open end'))
    expect(received.filter((line) => line.startsWith('picky'))).to.deep.equal([])
    await until(() => received.includes('closed a.b'))
    expect(received.filter((line) => line.startsWith('closed'))).to.deep.equal(['closed a.b'])
  })

  it('G11: answers requests, reports failures, and sends requests itself', async () => {
    const [endpoint, snake] = await joinOne()
    endpoint.respond('twice', ({ payload }) => Number(payload) * 2)
    await snake.want({ type: 'echo', responds: true })
    expect(await endpoint.request('echo', { deep: [1, undefined, 'x'] })).to.deep.equal({
      by: 'snake',
      echo: { deep: [1, undefined, 'x'] },
    })
    const answers = await Promise.all(numbers(200).map((number) => endpoint.request('echo', number)))
    expect(answers.map((answer) => Reflect.get(Object(answer), 'echo'))).to.deep.equal(numbers(200))
    const failed = await endpoint.request('echo', { fail: 'no such thing' }).catch((error) => error)
    expect(failed)
      .to.be.instanceOf(RemoteError)
      .and.to.deep.include({
        origin: 'snake',
        remote: { name: 'ValueError', message: 'no such thing', code: undefined, stack: undefined },
      })
    expect(await snake.ask(1, 'host', 'twice', 21)).to.include({ what: 'response', answer: 42 })
    expect(await snake.ask(2, 'host', 'nothing', 21)).to.include({ what: 'declined' })
    await snake.waive({ type: 'echo', responds: true })
    expect(await endpoint.request('echo', 1).catch(({ code }) => code)).to.equal('LAHJA_NO_SUBSCRIBERS')
  })

  it('reads and writes integers of any size', async () => {
    const [endpoint, snake] = await joinOne()
    await snake.want({ type: 'echo', responds: true })
    const bounds = [64n, 71n, 127n, 128n, 2039n, 32_766n].map((bits) => 2n ** bits)
    const positive = bounds.flatMap((bound) => [bound, bound + 1n, 2n * bound - 1n])
    const payload = { deep: [...positive, ...positive.map((number) => -number), -(2n ** 32_767n), 2n ** 64n - 1n] }
    expect(await endpoint.request('echo', payload)).to.deep.equal({ by: 'snake', echo: payload })
  })

  it('joins queues, in which each event is handled by one member and settled', async () => {
    const [endpoint, snake] = await joinOne()
    const own: unknown[] = []
    await endpoint.subscribe('job', ({ payload }) => own.push(payload), { queue: 'workers' }).ready
    await snake.want({ type: 'job', queue: 'workers' })
    for (const number of numbers(100)) await endpoint.broadcast('job', number)
    await until(() => own.length + snake.reportsOf('assigned').length === 100)
    const theirs = snake.reportsOf('assigned').map(({ payload }) => payload)
    expect([...own, ...theirs].sort((one, other) => Number(one) - Number(other))).to.deep.equal(numbers(100))
    expect(theirs.length).to.be.at.least(1)
    snake.broadcast('job', { from: 'snake' })
    await until(() => own.length + theirs.length === 101)
    expect(own.at(-1)).to.deep.equal({ from: 'snake' })
    await snake.leave()
  })

  it('G13: is unresponsive while it is stopped, and recovers by answering pings', async () => {
    const [endpoint, snake] = await joinOne({ limits: { pingInterval: 20 } })
    const states: string[] = []
    endpoint.on('unresponsive', ({ name }) => states.push(`unresponsive ${name}`))
    endpoint.on('recovered', ({ name }) => states.push(`recovered ${name}`))
    snake.signal('SIGSTOP')
    await until(() => states.length === 1)
    snake.signal('SIGCONT')
    await until(() => states.length >= 2)
    expect(states.slice(0, 2)).to.deep.equal(['unresponsive snake', 'recovered snake'])
    expect(endpoint.isConnectedTo('snake')).to.equal(true)
  })

  it('G5: is lost when killed, and notices the loss of others', async () => {
    const [endpoint, snake] = await joinOne()
    const lost: string[] = []
    endpoint.on('lost', ({ name }) => lost.push(name))
    const victim = begin('victim')
    await snake.reported('joined', ({ peer }) => peer === 'victim')
    await endpoint.waitUntilConnectedTo('victim')
    victim.signal('SIGKILL')
    expect(await snake.reported('lost')).to.include({ peer: 'victim' })
    await until(() => lost.includes('victim'))
    snake.signal('SIGKILL')
    await until(() => lost.includes('snake'))
  })

  it('G10: holds its name, and yields to holders of a name', async () => {
    const [, snake] = await joinOne()
    expect(await bus.join('snake').catch(({ code }) => code)).to.equal('LAHJA_NAME_IN_USE')
    for (const name of ['host', 'snake']) {
      const second = begin(name)
      expect(await second.reported('refused')).to.include({ reason: 'name-in-use' })
      expect(await second.exited()).to.equal(1)
    }
    expect(await bus.published()).to.deep.equal(['host', 'snake'])
    await snake.leave()
    await bus.join('snake')
  })

  it('G10: shares a name claim with other starting endpoints, of which exactly one wins', async () => {
    const outcomes = numbers(4).map(async (number) => {
      if (number % 2 === 0)
        return bus.join('contested').then(
          () => 'holds',
          ({ code }) => code,
        )
      const peer = begin('contested')
      await until(() => peer.reports.length > 0)
      return peer.reports[0]?.what === 'started' ? 'holds' : 'refused'
    })
    expect((await Promise.all(outcomes)).filter((outcome) => outcome === 'holds')).to.have.lengthOf(1)
    expect(await bus.published()).to.deep.equal(['contested'])
  })
}
