import { getEventListeners } from 'node:events'
import { expect } from 'chai'
import { defineEvent, defineRequest, type Endpoint, type SubscribeOptions, type WaitOptions } from '../../src'
import { freshBus, until } from '../support/bus'
import { rawPeers } from '../support/raw-peer'
import { rejection, rejectionCode } from '../support/rejection'
import { Watched } from '../support/watched'

const News = defineEvent<number>('news')
const Ask = defineRequest<number, string>('ask')
const Secret = defineEvent<number>('awareness.secret', { boundary: { groups: ['awareness'] } })

describe('Endpoint, asked for subscriptions,', () => {
  const bus = freshBus()
  const connectPeer = rawPeers().connect
  let a: Endpoint
  let b: Endpoint
  let c: Endpoint

  beforeEach(async () => {
    ;({ a, b, c } = await bus.startEach({ a: {}, b: { groups: ['blue'] }, c: {} }))
  })

  /** The answers of a to each question about the type. */
  const answers = (type: string) => ({
    a: a.isEndpointSubscribedTo('a', type),
    b: a.isEndpointSubscribedTo('b', type),
    any: a.isAnyEndpointSubscribedTo(type),
    others: a.areAllEndpointsSubscribedTo(type, { includeSelf: false }),
    all: a.areAllEndpointsSubscribedTo(type),
  })

  const NONE = { a: false, b: false, any: false, others: false, all: false }
  const ALL = { a: true, b: true, any: true, others: true, all: true }

  const listen = (endpoint: Endpoint, type: string, options?: SubscribeOptions) =>
    endpoint.subscribe(type, () => {}, options).ready

  it('answers for events, from no subscriber to all endpoints and back', async () => {
    expect(answers('news')).to.deep.equal(NONE)
    await listen(a, 'news')
    expect(answers('news')).to.deep.equal({ ...NONE, a: true, any: true })
    await listen(c, 'news')
    expect(answers('news')).to.deep.equal({ ...NONE, a: true, any: true })
    await listen(b, 'news')
    expect(answers('news')).to.deep.equal(ALL)
    await c.close()
    await b.close()
    await until(() => a.peers.length === 0)
    expect(answers('news')).to.deep.equal({ ...ALL, b: false })
  })

  it('includes itself in areAllEndpointsSubscribedTo unless includeSelf is false', async () => {
    await Promise.all([b, c].map((each) => listen(each, 'news')))
    expect(answers('news')).to.deep.equal({ ...ALL, a: false, all: false })
    const own = a.subscribe('news', () => {})
    expect(answers('news').all).to.equal(true)
    own.unsubscribe()
    expect(answers('news').all).to.equal(false)
  })

  it('answers for requests, by their responders', async () => {
    const responder = b.respond(Ask, () => 'b')
    await responder.ready
    expect(answers('ask')).to.deep.equal({ ...NONE, b: true, any: true })
    await c.respond(Ask, () => 'c').ready
    a.respond(Ask, () => 'a')
    expect(answers('ask')).to.deep.equal(ALL)
    responder.unsubscribe()
    await until(() => !answers('ask').b)
    expect(answers('ask')).to.deep.equal({ ...NONE, a: true, any: true })
  })

  it('takes definitions, and distinguishes events from requests of the same name', async () => {
    const Both = defineEvent<number>('ask')
    await b.respond(Ask, () => 'b').ready
    await c.subscribe(Both, () => {}).ready
    expect(a.isEndpointSubscribedTo('b', Ask)).to.equal(true)
    expect(a.isEndpointSubscribedTo('b', Both)).to.equal(false)
    expect(a.isEndpointSubscribedTo('c', Ask)).to.equal(false)
    expect(a.isEndpointSubscribedTo('c', Both)).to.equal(true)
    expect(['b', 'c'].map((name) => a.isEndpointSubscribedTo(name, 'ask'))).to.deep.equal([true, true])
    expect(a.isAnyEndpointSubscribedTo(News)).to.equal(false)
    expect(a.areAllEndpointsSubscribedTo(Both)).to.equal(false)
    await a.waitUntilEndpointSubscribedTo('b', Ask)
    await a.waitUntilAnyEndpointSubscribedTo(Both)
    expect(await rejectionCode(a.waitUntilAllEndpointsSubscribedTo(Ask, { timeout: 5 }))).to.equal('LAHJA_WAIT_TIMEOUT')
  })

  it('counts subscriptions to patterns and members of queues', async () => {
    await listen(b, 'order.*')
    await listen(c, 'task', { queue: 'workers' })
    expect(answers('order.placed')).to.deep.equal({ ...NONE, b: true, any: true })
    expect(answers('order')).to.deep.equal(NONE)
    expect(answers('order.placed.late')).to.deep.equal(NONE)
    expect(answers('task')).to.deep.equal({ ...NONE, any: true })
    await listen(b, '>', { queue: 'workers' })
    expect(answers('task')).to.deep.equal({ ...ALL, a: false, all: false })
  })

  it('takes from, boundaries and accepts into account', async () => {
    await listen(b, 'news', { from: 'c' })
    await listen(b, Secret.name)
    expect(answers('news')).to.deep.equal(NONE)
    expect(c.isEndpointSubscribedTo('b', 'news')).to.equal(true)
    await listen(b, 'news', { from: ['a'] })
    expect(answers('news').b).to.equal(true)
    const closed = await bus.start('closed', { accepts: ['news'], groups: ['awareness'] })
    await a.waitUntilConnectedTo('closed')
    await listen(closed, '>')
    const closedTo = ['news', 'other', Secret.name].map((type) => a.isEndpointSubscribedTo('closed', type))
    expect(closedTo).to.deep.equal([true, false, false])
    const vault = await bus.start('vault', { groups: ['awareness'] })
    await a.waitUntilConnectedTo('vault')
    await listen(vault, Secret.name)
    expect(['b', 'vault'].map((name) => a.isEndpointSubscribedTo(name, Secret.name))).to.deep.equal([false, true])
  })

  it('counts itself: what it says is what a request or a wait of its own would find', async () => {
    const waiting = a.waitUntilEndpointSubscribedTo('a', Ask)
    const changed = a.waitUntilEndpointSubscriptionsChange()
    a.respond(Ask, () => 'own')
    await Promise.all([waiting, changed])
    expect(a.isAnyEndpointSubscribedTo(Ask)).to.equal(true)
    expect(await a.request(Ask, 1)).to.equal('own')
    expect(a.connectedEndpointsAndSubscriptions.get('a')).to.deep.equal(new Set(['ask']))
  })

  it('ignores interests of a peer that violate a boundary', async () => {
    const peer = await connectPeer(a)
    await peer.want({ type: Secret.name }, { type: 'news' })
    expect(a.isEndpointSubscribedTo('raw', 'news')).to.equal(true)
    expect(a.isEndpointSubscribedTo('raw', Secret.name)).to.equal(false)
  })

  it('answers false for unknown names', async () => {
    await listen(a, 'news')
    expect(a.isEndpointSubscribedTo('nobody', 'news')).to.equal(false)
    expect(['a', 'b', 'nobody'].map((name) => a.isConnectedTo(name))).to.deep.equal([true, true, false])
  })

  it('lists its own subscriptions and those of each peer', async () => {
    a.subscribe(News, () => {})
    const twice = a.subscribe(News, () => {}, { from: 'b' })
    a.subscribe('order.*', () => {}, { queue: 'q' })
    await a.respond(Ask, () => 'a').ready
    expect([...a.subscribedEvents].sort()).to.deep.equal(['news', 'order.*'])
    twice.unsubscribe()
    expect([...a.subscribedEvents].sort()).to.deep.equal(['news', 'order.*'])
    await listen(c, 'task.>')
    const known = [...b.connectedEndpointsAndSubscriptions].map(([name, types]) => [name, [...types].sort()])
    expect(Object.fromEntries(known)).to.deep.equal({ a: ['ask', 'news', 'order.*'], b: [], c: ['task.>'] })
    expect(b.peers.find(({ name }) => name === 'a')).to.deep.include({ responds: ['ask'] })
  })

  it('emits subscriptionsChanged exactly once for each change of a peer', async () => {
    const changes: string[] = []
    a.on('subscriptionsChanged', ({ name, subscriptions, responds }) => {
      changes.push(`${name}: ${[...subscriptions, ...responds].sort()}`)
    })
    const first = b.subscribe(News, () => {})
    const second = b.subscribe(News, () => {})
    await Promise.all([first.ready, second.ready])
    const responder = b.respond(Ask, () => 'b')
    await responder.ready
    first.unsubscribe()
    second.unsubscribe()
    responder.unsubscribe()
    await listen(c, 'end')
    await until(() => changes.length >= 5)
    const ofB = changes.filter((change) => change.startsWith('b'))
    expect(ofB).to.deep.equal(['b: news', 'b: ask,news', 'b: ask', 'b: '])
    expect(changes).to.include('c: end').and.have.length(5)
  })

  describe('in its waits,', () => {
    /** The method that waits and its arguments before the options, what fulfils it, and further options. */
    const WAITS: readonly [what: string, args: readonly unknown[], fulfil: () => unknown, more?: object][] = [
      ['waitUntilConnectedTo', [['b', 'late']], () => bus.start('late')],
      ['waitUntilConnectionsChange, for a new peer,', [], () => bus.start('late')],
      ['waitUntilConnectionsChange, for a leaving peer,', [], () => b.close()],
      ['waitUntilEndpointSubscribedTo', ['b', 'news'], () => listen(b, 'news')],
      ['waitUntilEndpointSubscribedTo, for a request,', ['b', 'ask'], () => b.respond(Ask, () => 'b')],
      ['waitUntilEndpointSubscribedTo, for a peer that joins later,', ['late', 'news'], () => joinLate()],
      ['waitUntilAnyEndpointSubscribedTo', ['news'], () => listen(c, '>')],
      ['waitUntilAllEndpointsSubscribedTo', ['news'], () => listenAll(b, c, a)],
      ['waitUntilAllEndpointsSubscribedTo, without itself,', ['news'], () => listenAll(b, c), { includeSelf: false }],
      ['waitUntilEndpointSubscriptionsChange', [], () => listen(c, 'news')],
    ]
    const joinLate = async () => listen(await bus.start('late'), '*', { queue: 'q', from: 'a' })
    const listenAll = (...endpoints: Endpoint[]) => Promise.all(endpoints.map((each) => listen(each, 'news')))

    for (const [what, args, fulfil, more] of WAITS) {
      const [method = ''] = what.split(',')
      const wait = (options: WaitOptions): Promise<unknown> =>
        Reflect.apply(Reflect.get(a, method), a, [...args, { ...options, ...more }])

      it(`${what} resolves when the condition holds, and not before`, async () => {
        const over = new Watched(wait({ timeout: 50_000 }))
        await a.request('nobody').catch(() => {})
        await new Promise((resolve) => setImmediate(resolve))
        expect(over.isDone).to.equal(false)
        await fulfil()
        await over.done
      })

      it(`${what} rejects on timeout, on abort and when the endpoint closes`, async () => {
        const abort = new AbortController()
        expect(await rejection(wait({ timeout: 1 }))).to.include({ code: 'LAHJA_WAIT_TIMEOUT' })
        const aborted = rejection(wait({ signal: abort.signal }))
        const closed = rejection(wait({}))
        abort.abort('enough')
        expect(await aborted).to.include({ code: 'LAHJA_ABORTED', cause: 'enough' })
        expect(getEventListeners(abort.signal, 'abort')).to.deep.equal([])
        expect(await rejection(wait({ signal: abort.signal }))).to.include({ code: 'LAHJA_ABORTED' })
        await a.close()
        expect(await closed).to.include({ code: 'LAHJA_ENDPOINT_CLOSED' })
        expect(await rejection(wait({}))).to.include({ code: 'LAHJA_ENDPOINT_CLOSED' })
      })
    }

    it('says on timeout which names and which type it has waited for', async () => {
      const messageOf = async (wait: Promise<unknown>) => (await rejection(wait)).message
      const soon = { timeout: 1 }
      expect(await messageOf(a.waitUntilConnectedTo(['b', 'zz', 'late'], soon))).to.equal(
        'waitUntilConnectedTo b, zz, late: timed out after 1 ms; not linked with zz, late',
      )
      for (const [wait, says] of [
        [a.waitUntilEndpointSubscribedTo('b', Ask, soon), 'waitUntilEndpointSubscribedTo b, ask: timed out'],
        [a.waitUntilAnyEndpointSubscribedTo('fog', soon), 'waitUntilAnyEndpointSubscribedTo fog: timed out'],
        [a.waitUntilAllEndpointsSubscribedTo('fog', soon), 'waitUntilAllEndpointsSubscribedTo fog: timed out'],
      ] as const) {
        expect(await messageOf(wait)).to.contain(says)
      }
    })

    it('waits for the names of the call, whatever becomes of their array', async () => {
      const names = ['b', 'late']
      const over = new Watched(a.waitUntilConnectedTo(names))
      names.pop()
      await bus.start('other')
      await a.waitUntilConnectedTo('other')
      expect(over.isDone).to.equal(false)
      await bus.start('late')
      await over.done
    })

    it('resolves at once if the condition holds already', async () => {
      await Promise.all([a, b, c].map((each) => listen(each, 'news')))
      const options = { timeout: 0 }
      await a.waitUntilConnectedTo('b', options)
      await a.waitUntilEndpointSubscribedTo('b', 'news', options)
      await a.waitUntilAnyEndpointSubscribedTo('news', options)
      await a.waitUntilAllEndpointsSubscribedTo('news', options)
    })

    it('refuses what no endpoint can be called', async () => {
      for (const bad of ['no body', '', 7, undefined, Symbol('b'), { name: 'b' }]) {
        for (const call of [
          () => Reflect.apply(a.isConnectedTo, a, [bad]),
          () => Reflect.apply(a.isEndpointSubscribedTo, a, [bad, 'news']),
          Reflect.apply(a.waitUntilConnectedTo, a, [bad]),
          Reflect.apply(a.waitUntilConnectedTo, a, [['b', bad]]),
          Reflect.apply(a.waitUntilEndpointSubscribedTo, a, [bad, 'news']),
        ]) {
          expect(await rejection(call)).to.include({ code: 'LAHJA_INVALID_ARGUMENT' })
        }
      }
    })

    it('sees an unsubscribe, and a subscriber that leaves, as changes of subscriptions', async () => {
      const subscription = b.subscribe(News, () => {})
      await subscription.ready
      await listen(c, 'news')
      const first = a.waitUntilEndpointSubscriptionsChange()
      subscription.unsubscribe()
      await first
      expect(answers('news').b).to.equal(false)
      const second = a.waitUntilEndpointSubscriptionsChange()
      await c.close()
      await second
      expect(answers('news').any).to.equal(false)
    })

    it('rejects an invalid type, and does not check it again at later changes', async () => {
      // Alone on its bus, so that only this test's calls change anything.
      await Promise.all([b.close(), c.close()])
      await until(() => a.peers.length === 0)
      for (const type of ['news.*', '', 'a b']) {
        expect(await rejection(() => a.isAnyEndpointSubscribedTo(type))).to.include({ code: 'LAHJA_INVALID_ARGUMENT' })
        for (const wait of [
          a.waitUntilEndpointSubscribedTo('b', type),
          a.waitUntilAnyEndpointSubscribedTo(type),
          a.waitUntilAllEndpointsSubscribedTo(type),
        ]) {
          expect(await rejection(wait)).to.include({ code: 'LAHJA_INVALID_ARGUMENT' })
        }
      }
      expect(() => a.subscribe(News, () => {})).not.to.throw()
    })
  })
})
