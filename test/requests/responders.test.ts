import { getEventListeners } from 'node:events'
import { expect } from 'chai'
import { z } from 'zod'
import { TurnBudget } from '../../src/events/turn-budget'
import { AlreadyResponding, type LahjaError, PayloadTooLarge } from '../../src/model/errors'
import type { RequestEvent } from '../../src/model/event'
import type { Interest } from '../../src/model/interest'
import { requestCounts } from '../../src/requests/request-count'
import { Responders, type Service } from '../../src/requests/responders'
import type { ChannelMessage } from '../../src/wire/message'
import { SLAB_BYTES } from '../../src/wire/slabs'
import { ManualClock } from '../support/manual-clock'
import { ODD_PROMISES } from '../support/odd-promises'
import { RecordingChannel } from '../support/recording-channel'
import { throwing } from '../support/throwing'
import { turn } from '../support/workbench'

describe('Responders', () => {
  let announced: string[]
  let failures: LahjaError[]
  let idle: number
  let responders: Responders
  let asker: RecordingChannel
  let events: RequestEvent[]
  let ends: { resolve: (response: unknown) => void; reject: (thrown: unknown) => void }[]

  beforeEach(() => {
    announced = []
    failures = []
    idle = 0
    events = []
    ends = []
    asker = new RecordingChannel('asker')
    const announce = (change: string, { type, responds }: Interest) => {
      announced.push(`${change} ${type} ${responds}`)
    }
    responders = new Responders({
      announcer: { announce, acknowledged: () => Promise.resolve([]) },
      report: (error) => failures.push(error),
      reportToListeners: (error) => failures.push(error),
      reportUnsent: (error) => failures.push(error),
      idle: () => idle++,
      closeCalls: () => 0,
      limit: 2,
      turn: new TurnBudget(new ManualClock(), SLAB_BYTES),
      counts: requestCounts(),
      services: [],
    })
  })

  const respond = (handler: Service['handler'], options: Partial<Service> = {}) => {
    const service = {
      type: 'order.get',
      handler,
      schemas: {},
      sendStack: false,
      concurrency: Number.POSITIVE_INFINITY,
      signal: undefined,
    }
    return responders.add({ ...service, ...options })
  }

  /** A handler whose calls the test ends. */
  const slow = (event: RequestEvent) => {
    events.push(event)
    return new Promise<unknown>((resolve, reject) => ends.push({ resolve, reject }))
  }

  /** Ends a call of the slow handler. */
  async function finish(index: number, response: unknown): Promise<void> {
    ends[index]?.resolve(response)
    await turn()
  }

  /** Sends a request. Resolves to the answers received by the end of the turn. */
  async function ask(id: number, payload?: unknown, from = asker): Promise<ChannelMessage[]> {
    responders.onMessage(from, { kind: 'request', id, type: 'order.get', payload })
    await turn()
    return from.takeTold()
  }

  it('answers with the value that the handler returns or resolves to', async () => {
    respond(({ payload, origin, type }) => `${type} ${payload} for ${origin}`)
    expect(await ask(7, 'A1')).to.deep.equal([{ kind: 'response', id: 7, payload: 'order.get A1 for asker' }])
    responders.close()
    respond(async ({ payload }) => ({ payload }))
    expect(await ask(8, 'A2')).to.deep.equal([{ kind: 'response', id: 8, payload: { payload: 'A2' } }])
    responders.close()
    respond(() => undefined)
    expect(await ask(9)).to.deep.equal([{ kind: 'response', id: 9, payload: undefined }])
  })

  for (const [what, odd] of Object.entries(ODD_PROMISES)) {
    it(`answers once if the own then of its handler's promise ${what}`, async () => {
      respond(odd)
      expect(await ask(1)).to.deep.equal([{ kind: 'response', id: 1, payload: undefined }])
      expect(responders.isIdle).to.equal(true)
    })
  }

  it('announces each responder once, and withdraws it once', () => {
    const controller = new AbortController()
    const responder = respond(() => 1, { signal: controller.signal })
    expect(responder.type).to.equal('order.get')
    expect(announced.splice(0)).to.deep.equal(['subscribe order.get true'])
    controller.abort()
    responder.unsubscribe()
    responder[Symbol.dispose]()
    expect(announced.splice(0)).to.deep.equal(['unsubscribe order.get true'])
    respond(() => 1, { signal: AbortSignal.abort() })
    expect(announced).to.deep.equal(['subscribe order.get true', 'unsubscribe order.get true'])
  })

  it('leaves no listener on a signal that outlives the responder', () => {
    const { signal } = new AbortController()
    const responder = respond(() => 1, { signal })
    expect(getEventListeners(signal, 'abort')).to.have.lengthOf(1)
    responder.unsubscribe()
    expect(getEventListeners(signal, 'abort')).to.have.lengthOf(0)
  })

  it('allows one responder per type', async () => {
    const responder = respond(() => 'first')
    expect(() => respond(() => 'second')).to.throw(AlreadyResponding, 'this endpoint already responds to order.get')
    respond(() => 'other', { type: 'order.put' })
    expect(await ask(1)).to.deep.equal([{ kind: 'response', id: 1, payload: 'first' }])
    responder.unsubscribe()
    respond(() => 'second')
    responder.unsubscribe()
    expect(await ask(2)).to.deep.equal([{ kind: 'response', id: 2, payload: 'second' }])
  })

  it('declines requests without a responder, also after unsubscribe', async () => {
    expect(await ask(1)).to.deep.equal([{ kind: 'decline', id: 1 }])
    respond(slow).unsubscribe()
    expect(await ask(2)).to.deep.equal([{ kind: 'decline', id: 2 }])
    expect(events).to.deep.equal([])
    expect(responders.isIdle).to.equal(true)
  })

  it("declines an asker's requests over the limit, and goes on when there is room", async () => {
    respond(slow)
    expect([await ask(1), await ask(2)].flat()).to.deep.equal([])
    expect(await ask(3)).to.deep.equal([{ kind: 'decline', id: 3 }])
    const other = new RecordingChannel('other')
    expect(await ask(1, undefined, other)).to.deep.equal([])
    await finish(0, 'ok')
    expect(asker.takeTold()).to.deep.equal([{ kind: 'response', id: 1, payload: 'ok' }])
    expect(await ask(4)).to.deep.equal([])
    expect(events).to.have.lengthOf(4)
  })

  it('declines a request whose schema has ended the responder, without calling its handler', async () => {
    const validate = (value: unknown) => {
      responder.unsubscribe()
      return { value }
    }
    const request = { '~standard': { version: 1, vendor: 'test', validate } } as const
    const responder = respond(slow, { schemas: { request } })
    expect(await ask(1)).to.deep.equal([{ kind: 'decline', id: 1 }])
    expect(events).to.deep.equal([])
    expect(responders.isIdle).to.equal(true)
    respond(() => 'next')
    expect(await ask(1)).to.deep.equal([{ kind: 'response', id: 1, payload: 'next' }])
  })

  it('answers requests that were running at unsubscribe', async () => {
    respond(slow)
    await ask(1)
    responders.close()
    expect(responders.isIdle).to.equal(false)
    await finish(0, 'ok')
    expect(asker.told).to.deep.equal([{ kind: 'response', id: 1, payload: 'ok' }])
    expect(responders.isIdle).to.equal(true)
    expect(idle).to.be.greaterThan(0)
  })

  it('handles a request once, even if it arrives twice (G11)', async () => {
    respond(slow)
    await ask(1)
    await ask(1)
    await finish(0, 'ok')
    expect(events).to.have.lengthOf(1)
    expect(asker.told).to.deep.equal([{ kind: 'response', id: 1, payload: 'ok' }])
  })

  describe('when a handler throws, sends', () => {
    const failure = async () => {
      const [message] = await ask(1)
      if (message?.kind !== 'failure') expect.fail(`expected a failure, got ${message?.kind}`)
      return message.error
    }

    it("the error's name, message and code, and its stack only with sendStack", async () => {
      const thrown = Object.assign(new TypeError('no such order'), { code: 'E_ORDER' })
      const handler = throwing(thrown)
      respond(handler)
      expect(await failure()).to.deep.equal({
        name: 'TypeError',
        message: 'no such order',
        code: 'E_ORDER',
        stack: undefined,
      })
      responders.close()
      respond(handler, { sendStack: true })
      expect((await failure()).stack).to.equal(thrown.stack)
      expect(failures.map(({ cause }) => cause)).to.deep.equal([thrown, thrown])
    })

    it('a numeric code as text, and no code of another type', async () => {
      for (const [code, told] of [
        [404, '404'],
        [{}, undefined],
        [null, undefined],
      ]) {
        respond(() => Promise.reject(Object.assign(new Error('no'), { code })))
        expect((await failure()).code).to.equal(told)
        responders.close()
      }
    })

    it('a description of a value that is not an error', async () => {
      for (const [thrown, message] of [
        ['a word', 'a word'],
        [undefined, 'undefined'],
        [{ status: 500 }, '{ status: 500 }'],
      ]) {
        respond(() => Promise.reject(thrown))
        expect(await failure()).to.include({ name: 'Error', message })
        responders.close()
      }
    })

    it('a clipped failure if the response cannot be sent, and reports the error', async () => {
      const refusal = new PayloadTooLarge('x'.repeat(5000))
      respond(() => {
        asker.refusal = refusal
        return 'far too much'
      })
      // The channel takes the failure, which is small.
      asker.sendMessage = (message) => {
        if (message.kind === 'response') throw refusal
        asker.told.push(message)
      }
      const error = await failure()
      expect(error).to.include({ name: 'PayloadTooLarge', code: 'LAHJA_PAYLOAD_TOO_LARGE' })
      expect(error.message).to.match(/^x{300}$/)
      expect(failures).to.deep.equal([refusal])
    })
  })

  describe('when the asker has cancelled or disconnected', () => {
    it('aborts the signal and answers nothing', async () => {
      respond(slow)
      await ask(1)
      expect(events[0]?.signal.aborted).to.equal(false)
      responders.onMessage(asker, { kind: 'cancel', id: 1 })
      expect(events[0]?.signal.reason).to.have.property('message', 'the asker cancelled the request')
      expect(responders.isIdle).to.equal(true)
      await finish(0, 'late')
      expect(asker.told).to.deep.equal([])
      expect(failures).to.deep.equal([])
    })

    it('counts the handlers that still run when the same asker is back on another link (G11)', async () => {
      respond(slow)
      const links = [0, 1, 2, 3].map((n) => new RecordingChannel('asker', { id: n < 3 ? 'first run' : 'second run' }))
      for (const link of links.slice(0, 2)) {
        expect([await ask(1, undefined, link), await ask(2, undefined, link)].flat()).to.deep.equal([])
        responders.onClosed(link)
      }
      expect(events, 'as many as the limit').to.have.lengthOf(2)
      const [, , third = asker, restarted = asker] = links
      await ask(3, undefined, third)
      await ask(4, undefined, third)
      expect(events).to.have.lengthOf(2)
      await ask(1, undefined, restarted)
      expect(events, 'of another run').to.have.lengthOf(3)
      await finish(0, 'for a link that is gone')
      expect(events).to.have.lengthOf(4)
      await finish(1, 'for a link that is gone')
      await finish(3, 'ok')
      expect(third.takeTold()).to.deep.equal([{ kind: 'response', id: 3, payload: 'ok' }])
      expect(links.slice(0, 2).flatMap(({ told }) => told)).to.deep.equal([])
    })

    it('aborts only the signal of that request', async () => {
      respond(slow)
      const other = new RecordingChannel('other')
      for (const [id, from] of [[1, asker] as const, [2, asker] as const, [1, other] as const]) {
        await ask(id, undefined, from)
      }
      responders.onMessage(asker, { kind: 'cancel', id: 1 })
      responders.onMessage(asker, { kind: 'cancel', id: 9 })
      expect(events.map(({ signal }) => signal.aborted)).to.deep.equal([true, false, false])
      responders.onClosed(other)
      expect(events.map(({ signal }) => signal.aborted)).to.deep.equal([true, false, true])
      expect(events[2]?.signal.reason).to.have.property('message', 'the asker other disconnected')
      await finish(1, 'ok')
      expect(asker.told).to.deep.equal([{ kind: 'response', id: 2, payload: 'ok' }])
      expect(other.told).to.deep.equal([])
    })

    it('reports an error thrown afterwards, except AbortError', async () => {
      respond(slow)
      const aborted = Object.assign(new Error('aborted'), { name: 'AbortError' })
      for (const [id, thrown] of [aborted, new TypeError('broken')].entries()) {
        await ask(id)
        responders.onMessage(asker, { kind: 'cancel', id })
        ends[id]?.reject(thrown)
        await turn()
      }
      expect(asker.told).to.deep.equal([])
      expect(failures).to.have.lengthOf(1)
      expect(failures[0]?.message).to.equal('a responder to order.get failed on a request from asker: broken')
      expect(failures[0]?.code).to.equal('LAHJA_HANDLER_ERROR')
    })
  })

  describe('with schemas', () => {
    const schemas = {
      request: z.string().transform((text) => text.length),
      response: z.number().transform((number) => `${number}`),
    }

    it('gives the handler the transformed request, and sends the response untransformed', async () => {
      respond(({ payload }) => payload, { schemas })
      expect(await ask(1, 'four')).to.deep.equal([{ kind: 'response', id: 1, payload: 4 }])
    })

    it('sends a failure if request or response does not fit', async () => {
      respond(slow, { schemas })
      const [refused] = await ask(1, 7)
      expect(refused).to.have.nested.property('error.code', 'LAHJA_INVALID_PAYLOAD')
      expect(events).to.deep.equal([])
      await ask(2, 'four')
      await finish(0, 'no number')
      const [unfit] = asker.takeTold()
      expect(unfit).to.have.nested.property('error.code', 'LAHJA_INVALID_PAYLOAD')
      expect(unfit)
        .to.have.nested.property('error.message')
        .that.contains('response to order.get for asker: the payload does not match')
    })
  })
})
