import { expect } from 'chai'
import type { Channel } from '../../src/channel/channel'
import { drawBoundary } from '../../src/model/boundary'
import { PayloadTooLarge } from '../../src/model/errors'
import { DEFAULT_LIMITS } from '../../src/model/limits'
import { type Outcome, PendingRequests } from '../../src/requests/pending-requests'
import { encodeMessage } from '../../src/wire/codec'
import { heapUsed } from '../support/garbage'
import { RecordingChannel } from '../support/recording-channel'

const ignore = () => {}

describe('PendingRequests', () => {
  let responders: RecordingChannel[]
  let requests: PendingRequests
  let limit: number
  let outcomes: [question: string, outcome: Outcome][]

  beforeEach(() => {
    responders = []
    outcomes = []
    limit = 10
    requests = new PendingRequests({ responders: () => responders }, () => [], DEFAULT_LIMITS.frameBytes)
  })

  const respond = (name: string, options?: ConstructorParameters<typeof RecordingChannel>[1]) => {
    const responder = new RecordingChannel(name, { limits: { pendingRequests: limit }, ...options })
    responders.push(responder)
    return responder
  }

  const ask = (question: string, candidates: () => readonly Channel[] = () => responders) => {
    const settle = (outcome: Outcome) => outcomes.push([question, outcome])
    const pending = requests.ask(requests.encode('a', question), {
      isOrdered: false,
      waitsForResponder: false,
      candidates,
      settle,
    })
    return () => requests.cancel(pending)
  }

  /** The requests and cancels sent to a responder since the last call. */
  const questions = (responder: RecordingChannel) => {
    return responder.takeTold().map((message) => (message.kind === 'request' ? message.payload : message.kind))
  }

  const codes = () =>
    outcomes.map(([question, outcome]) => `${question}: ${'error' in outcome ? outcome.error.code : 'ok'}`)

  it('settles a request with its response', () => {
    const till = respond('till')
    ask('x')
    expect(till.told).to.deep.equal([{ kind: 'request', id: 1, type: 'a', payload: 'x' }])
    requests.onMessage(till, { kind: 'response', id: 1, payload: { sum: 3 } })
    expect(outcomes).to.deep.equal([['x', { kind: 'response', origin: 'till', payload: { sum: 3 } }]])
  })

  it("settles a request with the responder's error", () => {
    const till = respond('till')
    ask('x')
    const thrown = { name: 'TypeError', message: 'no such order', code: 'E_ORDER' }
    requests.onMessage(till, { kind: 'failure', id: 1, error: thrown })
    const [[, outcome] = []] = outcomes
    expect(outcome).to.include({ kind: 'failure' })
    expect(outcome).to.have.property('error').that.deep.includes({
      code: 'LAHJA_REMOTE_ERROR',
      origin: 'till',
      remote: thrown,
      message: 'request a to till failed: TypeError: no such order',
    })
  })

  it('settles a request at once if there is no responder', () => {
    ask('x')
    ask('y', () => [])
    expect(codes()).to.deep.equal(['x: LAHJA_NO_SUBSCRIBERS', 'y: LAHJA_NO_SUBSCRIBERS'])
  })

  it('settles requests when their responder disconnects, and ignores its later messages (G11)', () => {
    const till = respond('till')
    ask('x')
    responders = []
    requests.onClosed(till)
    requests.onMessage(till, { kind: 'response', id: 1, payload: 'late' })
    requests.onClosed(till)
    expect(codes()).to.deep.equal(['x: LAHJA_REMOTE_DISCONNECTED'])
  })

  it('spreads requests round-robin', () => {
    const all = ['a', 'b', 'c'].map((name) => respond(name))
    for (let number = 0; number < 9; number++) ask(`${number}`)
    expect(all.map((responder) => responder.told.length)).to.deep.equal([3, 3, 3])
  })

  it('sends a request to the responder with the fewest in flight', () => {
    const [till, desk] = [respond('till'), respond('desk')]
    for (let number = 0; number < 4; number++) ask(`${number}`)
    for (const message of till.takeTold()) {
      if (message.kind === 'request') requests.onMessage(till, { kind: 'response', id: message.id, payload: 1 })
    }
    desk.takeTold()
    ask('x')
    ask('y')
    expect([questions(till), questions(desk)]).to.deep.equal([['x', 'y'], []])
  })

  it('ignores an answer from a responder that was not asked', () => {
    const till = respond('till')
    ask('x')
    const desk = respond('desk')
    for (const kind of ['response', 'failure', 'decline'] as const) {
      const error = { name: 'Error', message: 'not mine' }
      requests.onMessage(desk, kind === 'failure' ? { kind, id: 1, error } : { kind, id: 1, payload: 'not mine' })
    }
    requests.onMessage(till, { kind: 'response', id: 7, payload: 'never asked' })
    expect(outcomes).to.deep.equal([])
    expect(desk.told).to.deep.equal([])
  })

  describe('after a decline', () => {
    it('sends the request to another responder, and never to the same again', () => {
      const [till, desk] = [respond('till'), respond('desk')]
      ask('x')
      const [first, second] = till.told.length > 0 ? [till, desk] : [desk, till]
      requests.onMessage(first, { kind: 'decline', id: 1 })
      expect(questions(second)).to.deep.equal(['x'])
      requests.onMessage(second, { kind: 'decline', id: 1 })
      expect(codes()).to.deep.equal(['x: LAHJA_NO_SUBSCRIBERS'])
      expect(questions(first)).to.deep.equal(['x'])
    })

    it('sends a request that waits for a responder to others, and to the same only once it has begun anew', () => {
      const till = respond('till')
      const candidates = () => responders
      const settle = ignore
      requests.ask(requests.encode('a', 'x'), { isOrdered: false, waitsForResponder: true, candidates, settle })
      expect(questions(till)).to.deep.equal(['x'])
      requests.onMessage(till, { kind: 'decline', id: 1 })
      for (const name of ['desk', 'door', 'gate']) {
        const other = respond(name)
        requests.onResponders(other, [{ type: 'a', responds: true }])
        expect(questions(other)).to.deep.equal(['x'])
        requests.onMessage(other, { kind: 'decline', id: 1 })
      }
      expect(questions(till)).to.deep.equal([])
      requests.onResponders(till, [{ type: 'a', responds: true }])
      expect(questions(till)).to.deep.equal(['x'])
    })

    it('sends the next waiting request', () => {
      limit = 1
      const till = respond('till')
      ask('x')
      ask('y')
      expect(questions(till)).to.deep.equal(['x'])
      requests.onMessage(till, { kind: 'decline', id: 1 })
      expect(codes()).to.deep.equal(['x: LAHJA_NO_SUBSCRIBERS'])
      expect(questions(till)).to.deep.equal(['y'])
    })

    it('settles the request if it is too large for the other responders', () => {
      const till = respond('till')
      respond('desk', { limits: { frameBytes: 5 } })
      ask('x')
      requests.onMessage(till, { kind: 'decline', id: 1 })
      expect(codes()).to.deep.equal(['x: LAHJA_PAYLOAD_TOO_LARGE'])
    })
  })

  describe('at the limit of a responder', () => {
    beforeEach(() => {
      limit = 2
    })

    it('lets requests wait, and sends them in order as others are answered', () => {
      const till = respond('till')
      for (const question of ['1', '2', '3', '4', '5']) ask(question)
      expect(questions(till)).to.deep.equal(['1', '2'])
      requests.onMessage(till, { kind: 'response', id: 2, payload: 'ok' })
      expect(questions(till)).to.deep.equal(['3'])
      requests.onMessage(till, { kind: 'failure', id: 1, error: { name: 'Error', message: 'no' } })
      expect(questions(till)).to.deep.equal(['4'])
    })

    it("respects each responder's own limit", () => {
      const [till, desk] = [respond('till'), respond('desk', { limits: { pendingRequests: 4 } })]
      for (let number = 0; number < 10; number++) ask(`${number}`)
      expect([questions(till).length, questions(desk).length]).to.deep.equal([2, 4])
      for (let id = 1; id <= 10; id++) requests.onMessage(desk, { kind: 'response', id, payload: 'ok' })
      expect([questions(till).length, questions(desk).length]).to.deep.equal([0, 4])
    })

    it('lets requests to other responders overtake', () => {
      const [till, desk] = [respond('till'), respond('desk')]
      for (const question of ['1', '2', '3']) ask(question, () => [till])
      ask('4', () => [desk])
      expect(questions(desk)).to.deep.equal(['4'])
      requests.onMessage(till, { kind: 'response', id: 1, payload: 'ok' })
      expect(questions(till)).to.deep.equal(['1', '2', '3'])
    })

    it('sends waiting requests to a new responder', () => {
      const till = respond('till')
      for (const question of ['1', '2', '3', '4', '5']) ask(question)
      expect(questions(till)).to.deep.equal(['1', '2'])
      const desk = respond('desk')
      requests.onResponders(desk, [{ type: 'a', responds: true }])
      expect(questions(desk)).to.deep.equal(['3', '4'])
    })

    it('sends what has not left for a responder that stops responding to another one', () => {
      const till = respond('till')
      till.sendBulk = (frame) => till.outbox.pushBulk(frame)
      ask('1')
      responders = []
      const desk = respond('desk')
      requests.onRespondersLeft(till, [])
      requests.onRespondersLeft(till, [{ type: 'b', responds: true }])
      expect(questions(desk)).to.deep.equal([])
      requests.onRespondersLeft(till, [{ type: 'a', responds: true }])
      expect(questions(desk)).to.deep.equal(['1'])
      requests.onMessage(desk, { kind: 'response', id: 1, payload: 'ok' })
      expect(codes()).to.deep.equal(['1: ok'])
    })

    it('sends requests to a lagging responder only if there is no other (G11)', () => {
      const till = respond('till')
      till.send(encodeMessage({ kind: 'event', type: 'a', payload: 1 }), { kind: 'wait' })
      till.lag()
      ask('1')
      const desk = respond('desk')
      for (const question of ['2', '3', '4']) ask(question)
      expect([questions(till), questions(desk)]).to.deep.equal([['1'], ['2', '3']])
      responders = [till]
      requests.onClosed(desk)
      expect(questions(till)).to.deep.equal(['4'])
    })

    it('sends waiting requests to a responder that has become responsive', () => {
      const till = respond('till')
      const desk = respond('desk')
      desk.isUnresponsive = true
      for (const question of ['1', '2', '3', '4']) ask(question)
      expect([questions(till), questions(desk)]).to.deep.equal([['1', '2'], []])
      desk.isUnresponsive = false
      requests.retry()
      expect(questions(desk)).to.deep.equal(['3', '4'])
    })

    it('settles waiting requests when the last responder disconnects', () => {
      const till = respond('till')
      for (const question of ['1', '2', '3']) ask(question)
      responders = []
      requests.onClosed(till)
      expect(codes()).to.have.deep.members([
        '1: LAHJA_REMOTE_DISCONNECTED',
        '2: LAHJA_REMOTE_DISCONNECTED',
        '3: LAHJA_NO_SUBSCRIBERS',
      ])
      expect(questions(till)).to.deep.equal(['1', '2'])
    })

    it('sends a waiting request as its payload was when it was made', () => {
      const till = respond('till')
      for (const question of ['1', '2']) ask(question)
      const payload = { n: 3 }
      requests.ask(requests.encode('a', payload), {
        isOrdered: false,
        waitsForResponder: false,
        candidates: () => responders,
        settle: ignore,
      })
      payload.n = 99
      requests.onMessage(till, { kind: 'response', id: 1, payload: 'ok' })
      expect(questions(till)).to.deep.equal(['1', '2', { n: 3 }])
    })

    it('settles a waiting request that is too large for the responder that is left, and sends the next', () => {
      const till = respond('till')
      for (const question of ['1', '2', 'a long one', '4']) ask(question)
      responders = []
      const desk = respond('desk', { limits: { frameBytes: 10, pendingRequests: 2 } })
      requests.onClosed(till)
      expect(codes()).to.include('a long one: LAHJA_PAYLOAD_TOO_LARGE').and.to.have.length(3)
      expect(questions(desk)).to.deep.equal(['4'])
    })
  })

  describe('on cancel', () => {
    it('tells the responder, and never settles the request', () => {
      const till = respond('till')
      const giveUp = ask('x')
      giveUp()
      giveUp()
      requests.onMessage(till, { kind: 'response', id: 1, payload: 'late' })
      requests.onClosed(till)
      expect(till.told.slice(1)).to.deep.equal([{ kind: 'cancel', id: 1 }])
      expect(outcomes).to.deep.equal([])
    })

    it('sends the next waiting request, or removes the cancelled one from the list', () => {
      limit = 1
      const till = respond('till')
      const [first, second] = [ask('1'), ask('2')]
      ask('3')
      second()
      expect(questions(till)).to.deep.equal(['1'])
      first()
      expect(questions(till)).to.deep.equal(['cancel', '3'])
    })

    it('does nothing for a settled request', () => {
      const till = respond('till')
      const giveUp = ask('x')
      requests.onMessage(till, { kind: 'response', id: 1, payload: 'ok' })
      giveUp()
      expect(questions(till)).to.deep.equal(['x'])
    })
  })

  it('throws if a request cannot be sent, and leaves nothing behind', () => {
    limit = 1
    const till = respond('till')
    expect(() => ask('x'.repeat(DEFAULT_LIMITS.frameBytes))).to.throw(PayloadTooLarge)
    ask('y')
    expect(questions(till)).to.deep.equal(['y'])
    responders = []
    requests.onClosed(till)
    expect(codes()).to.deep.equal(['y: LAHJA_REMOTE_DISCONNECTED'])
  })

  it('leaves nothing behind, however requests end', () => {
    const till = respond('till')
    const before = heapUsed()
    for (let id = 1; id <= 30_000; id++) {
      try {
        const pending = requests.ask(requests.encode('a', id % 3 === 0 ? ignore : id), {
          isOrdered: false,
          waitsForResponder: false,
          candidates: () => responders,
          settle: ignore,
        })
        if (id % 3 === 1) requests.onMessage(till, { kind: 'response', id, payload: 'ok' })
        else requests.cancel(pending)
      } catch {}
      till.takeTold()
    }
    expect(heapUsed() - before).to.be.below(3 * 1024 * 1024)
  })

  it('finds the responders that are addressed and within the boundary', () => {
    const own = respond('own', { isOwn: true })
    const [web, loner] = [respond('web', { groups: ['web'] }), respond('loner')]
    drawBoundary('requests.internal', 'internal')
    drawBoundary('requests.web', { groups: ['web'] })
    expect(requests.candidates('requests.open', undefined)).to.deep.equal([own, web, loner])
    expect(requests.candidates('requests.open', ['loner', 'own'])).to.deep.equal([own, loner])
    expect(requests.candidates('requests.web', undefined)).to.deep.equal([own, web])
    expect(requests.candidates('requests.web', { group: 'web' })).to.deep.equal([web])
    expect(requests.candidates('requests.web', 'loner')).to.deep.equal([])
    expect(requests.candidates('requests.internal', undefined)).to.deep.equal([own])
  })
})
