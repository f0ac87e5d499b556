import { expect } from 'chai'
import { defineEvent, defineRequest, type Endpoint } from '../../src'
import { freshBus } from '../support/bus'
import { rejection, rejectionCode } from '../support/rejection'

describe('Options', () => {
  const bus = freshBus()
  let shop: Endpoint

  beforeEach(async () => {
    shop = await bus.start('shop')
  })

  const calls: Record<string, (options: object) => unknown> = {
    broadcast: (options) => shop.broadcast('tick', 1, options),
    broadcastNowait: (options) => shop.broadcastNowait('tick', 1, options),
    drained: (options) => shop.drained(options),
    subscribe: (options) => shop.subscribe('tick', () => {}, options),
    stream: (options) => shop.stream('tick', options),
    waitFor: (options) => shop.waitFor('tick', options),
    respond: (options) => shop.respond('ask', () => 1, options),
    request: (options) => shop.request('ask', 1, options),
    requestAll: (options) => shop.requestAll('ask', 1, options),
    areAllEndpointsSubscribedTo: (options) => shop.areAllEndpointsSubscribedTo('tick', options),
    waitUntilConnectedTo: (options) => shop.waitUntilConnectedTo('till', options),
    waitUntilConnectionsChange: (options) => shop.waitUntilConnectionsChange(options),
    waitUntilEndpointSubscribedTo: (options) => shop.waitUntilEndpointSubscribedTo('till', 'tick', options),
    waitUntilAnyEndpointSubscribedTo: (options) => shop.waitUntilAnyEndpointSubscribedTo('tick', options),
    waitUntilAllEndpointsSubscribedTo: (options) => shop.waitUntilAllEndpointsSubscribedTo('tick', options),
    waitUntilEndpointSubscriptionsChange: (options) => shop.waitUntilEndpointSubscriptionsChange(options),
    close: (options) => shop.close(options),
    defineEvent: (options) => defineEvent('options.event', options),
    defineRequest: (options) => defineRequest('options.request', options),
  }
  for (const [name, call] of Object.entries(calls)) {
    it(`of ${name} are refused if their name is unknown, and nothing has changed`, async () => {
      expect(await rejectionCode(async () => call({ bogus: 1 }))).to.equal('LAHJA_INVALID_ARGUMENT')
      expect([...shop.subscribedEvents]).to.deep.equal([])
      expect(shop.isAnyEndpointSubscribedTo('ask')).to.equal(false)
      await shop.close()
    })
  }

  it('that would keep a secret inside are not ignored for a misspelling', async () => {
    expect(() => Reflect.apply(defineEvent, undefined, ['options.secret', { boundry: 'internal' }])).to.throw(
      "defineEvent has no option 'boundry': did you mean 'boundary'?",
    )
  })

  it('with a controller in place of its signal leave no subscription behind', async () => {
    const signal: object = new AbortController()
    for (const call of [calls.subscribe, calls.stream, calls.respond]) {
      expect(await rejectionCode(async () => call?.({ signal }))).to.equal('LAHJA_INVALID_ARGUMENT')
    }
    expect([...shop.subscribedEvents]).to.deep.equal([])
    await shop.close()
  })

  const booleans: Record<string, readonly string[]> = {
    internal: ['broadcast', 'broadcastNowait'],
    requireSubscriber: ['broadcast', 'broadcastNowait'],
    ordered: ['request', 'requestAll'],
    sendStack: ['respond'],
    includeSelf: ['areAllEndpointsSubscribedTo', 'waitUntilAllEndpointsSubscribedTo'],
  }
  for (const [option, names] of Object.entries(booleans)) {
    it(`take only true or false as ${option}`, async () => {
      for (const call of names.map((name) => calls[name])) {
        for (const value of ['no', 0, null]) {
          expect(await rejectionCode(async () => call?.({ [option]: value }))).to.equal('LAHJA_INVALID_ARGUMENT')
        }
      }
      expect(shop.isAnyEndpointSubscribedTo('ask')).to.equal(false)
    })
  }

  for (const option of ['requireSubscriber', 'watch']) {
    it(`of a start take only true or false as ${option}`, async () => {
      for (const value of ['no', 0, null]) {
        expect(await rejectionCode(bus.start('till', { [option]: value }))).to.equal('LAHJA_INVALID_ARGUMENT')
      }
    })
  }

  const startOptions = [
    'waitForName',
    'timeout',
    'signal',
    'directory',
    'bus',
    'groups',
    'accepts',
    'secret',
    'overflow',
  ]
  for (const option of [...startOptions, 'limits']) {
    it(`of a start don't take null as ${option}`, async () => {
      expect(await rejectionCode(bus.start('till', { [option]: null }))).to.equal('LAHJA_INVALID_ARGUMENT')
    })
  }

  const holes = (name: string) => Object.assign(new Array(2), { 1: name })
  const wrong: Record<string, () => unknown> = {
    'a hole in the `from` of subscribe': () => calls.subscribe?.({ from: holes('till') }),
    'a hole in the `from` of stream': () => calls.stream?.({ from: holes('till') }),
    'a hole in the `to` of broadcast': () => calls.broadcast?.({ to: holes('till') }),
    'a hole in the `to` of request': () => calls.request?.({ to: holes('till') }),
    'a hole in the names of waitUntilConnectedTo': () => shop.waitUntilConnectedTo(holes('till')),
    'a hole in its groups': () => bus.start('till', { groups: holes('web') }),
    'a hole in what it accepts': () => bus.start('till', { accepts: holes('order.*') }),
    'a timeout of requestAll that is negative, where nobody responds': () => calls.requestAll?.({ timeout: -1 }),
    'a timeout of request that is no number': () => calls.request?.({ timeout: '1' }),
    'a sendStack of respond that is no boolean': () => calls.respond?.({ sendStack: 'no' }),
    'an includeSelf that is no boolean': () => calls.areAllEndpointsSubscribedTo?.({ includeSelf: 'no' }),
    'no type in respond': () => Reflect.apply(shop.respond, shop, [undefined, () => 1]),
    'null as the type in respond': () => Reflect.apply(shop.respond, shop, [null, () => 1]),
    'no type in request': () => Reflect.apply(shop.request, shop, [undefined]),
    'no type in requestAll': () => Reflect.apply(shop.requestAll, shop, [undefined]),
    'a request made by hand without schemas': () =>
      Reflect.apply(shop.respond, shop, [{ kind: 'request', name: 'ask' }, () => 1]),
    'a request made by hand whose schema is none': () =>
      Reflect.apply(shop.request, shop, [{ kind: 'request', name: 'ask', schemas: { request: 5 } }]),
    'an event made by hand whose overflow is none': () =>
      Reflect.apply(shop.broadcast, shop, [{ kind: 'event', name: 'tick', overflow: 5 }, 1]),
  }
  for (const [what, call] of Object.entries(wrong)) {
    it(`are refused with what was expected, and nothing has changed: ${what}`, async () => {
      expect((await rejection(async () => call())).message).to.match(/expected .+, got /)
      expect([...shop.subscribedEvents]).to.deep.equal([])
      expect(shop.isAnyEndpointSubscribedTo('ask')).to.equal(false)
      await shop.close()
    })
  }

  it('name either a directory or a bus', async () => {
    expect(await rejectionCode(bus.start('till', { bus: 'other' }))).to.equal('LAHJA_INVALID_ARGUMENT')
  })
})
