import { expect } from 'chai'
import fc from 'fast-check'
import type { InterestExchange } from '../../src/mesh/interest-exchange'
import { HANDSHAKE_FRAME_BYTES } from '../../src/model/limits'
import { encodeMessage } from '../../src/wire/codec'
import type { Message } from '../../src/wire/message'
import { bodyOf } from '../support/frame-bytes'
import { heapUsed } from '../support/garbage'
import { InterestModel } from '../support/interest-model'
import { a, b, c, member, talking, toldIn } from '../support/interest-talk'

describe('InterestExchange', () => {
  let sent: Message[]
  let exchange: InterestExchange

  beforeEach(() => {
    ;({ sent, exchange } = talking())
  })

  describe('announces', () => {
    it('a change at once if none is in flight, with sequence numbers from 1', () => {
      exchange.announce('subscribe', a)
      expect(sent.splice(0)).to.deep.equal([{ kind: 'subscribe', sequence: 1, interests: [a] }])
      exchange.onAcknowledge(1)
      exchange.announce('unsubscribe', a)
      expect(sent.splice(0)).to.deep.equal([{ kind: 'unsubscribe', sequence: 2, interests: [a] }])
      exchange.onAcknowledge(2)
      expect(sent).to.deep.equal([])
    })

    it('changes made while one is in flight together, when that one is acknowledged', () => {
      exchange.announce('subscribe', a)
      sent.splice(0)
      exchange.announce('subscribe', b)
      exchange.announce('unsubscribe', a)
      for (const interest of [member, c, member]) exchange.announce('subscribe', interest)
      expect(sent).to.deep.equal([])
      exchange.onAcknowledge(1)
      const [left, come, ...rest] = sent
      expect(left).to.deep.equal({ kind: 'unsubscribe', sequence: 2, interests: [a] })
      expect(come).to.deep.include({ kind: 'subscribe', sequence: 3 })
      expect(toldIn(sent)).to.have.deep.members([b, member, member, c])
      expect(rest).to.deep.equal([])
    })

    it('nothing more until everything in flight is acknowledged', () => {
      exchange.announce('subscribe', a)
      exchange.announce('unsubscribe', a)
      exchange.announce('subscribe', b)
      exchange.onAcknowledge(1)
      exchange.announce('subscribe', c)
      exchange.onAcknowledge(2)
      expect(sent).to.have.lengthOf(3)
      exchange.onAcknowledge(3)
      expect(sent.slice(3)).to.deep.equal([{ kind: 'subscribe', sequence: 4, interests: [c] }])
    })

    it('no changes that cancel out, so a stopped peer costs only the difference in the end', () => {
      exchange.announceAll([a])
      for (let round = 0; round < 1000; round++) {
        for (const interest of [b, member]) exchange.announce('subscribe', interest)
        exchange.announce('unsubscribe', a)
        exchange.announce('subscribe', a)
        for (const interest of [b, member]) exchange.announce('unsubscribe', interest)
      }
      exchange.announce('subscribe', c)
      expect(sent.splice(0)).to.deep.equal([{ kind: 'subscribe', sequence: 1, interests: [a] }])
      exchange.onAcknowledge(1)
      expect(sent).to.deep.equal([{ kind: 'subscribe', sequence: 2, interests: [c] }])
    })

    it('nothing of types that came and went meanwhile, and keeps no memory of them (G7)', () => {
      exchange.announceAll([a])
      const before = heapUsed()
      for (let index = 0; index < 100_000; index++) {
        for (const kind of ['subscribe', 'unsubscribe'] as const) exchange.announce(kind, { type: `reply.${index}` })
      }
      expect(heapUsed() - before).to.be.below(2 * 1024 * 1024)
      exchange.onAcknowledge(1)
      expect(sent).to.have.lengthOf(1)
    })

    it('the net change in the number of queue members', () => {
      exchange.announceAll([member, member])
      for (const kind of ['unsubscribe', 'subscribe', 'unsubscribe', 'unsubscribe'] as const) {
        exchange.announce(kind, member)
      }
      sent.splice(0)
      exchange.onAcknowledge(1)
      expect(sent).to.deep.equal([{ kind: 'unsubscribe', sequence: 2, interests: [member, member] }])
    })

    it('gathered changes in frames within the limit at that time', () => {
      let limit = HANDSHAKE_FRAME_BYTES
      ;({ sent, exchange } = talking(() => limit))
      exchange.announce('subscribe', a)
      for (let index = 0; index < 1000; index++) exchange.announce('subscribe', { type: `type.${index}` })
      limit = 2 * HANDSHAKE_FRAME_BYTES
      exchange.onAcknowledge(1)
      const sizes = sent.slice(1).map((message) => bodyOf(encodeMessage(message)).length)
      expect(sizes.length).to.be.within(2, 20)
      expect(Math.max(...sizes)).to.be.within(HANDSHAKE_FRAME_BYTES / 2, limit)
      expect(toldIn(sent)).to.have.lengthOf(1001)
    })
  })

  describe('reaches acknowledged', () => {
    it('at once if nothing is in flight', () => {
      expect(exchange.acknowledged.isReached).to.equal(true)
      exchange.announceAll([])
      expect(exchange.acknowledged.isReached).to.equal(true)
      exchange.announce('subscribe', a)
      exchange.onAcknowledge(1)
      expect(exchange.acknowledged.isReached).to.equal(true)
    })

    it('when the last message in flight is acknowledged, not before', () => {
      exchange.announceAll(Array.from({ length: 300 }, (_, index) => ({ type: `type.${index}` })))
      expect(sent.length).to.be.greaterThan(2)
      const known = exchange.acknowledged
      for (let sequence = 1; sequence < sent.length; sequence++) exchange.onAcknowledge(sequence)
      expect(known.isReached).to.equal(false)
      exchange.onAcknowledge(sent.length)
      expect(known.isReached).to.equal(true)
    })

    it('by one acknowledgement for everything sent before it', () => {
      exchange.announce('subscribe', a)
      exchange.announce('unsubscribe', a)
      exchange.announce('subscribe', b)
      exchange.onAcknowledge(1)
      const known = exchange.acknowledged
      exchange.onAcknowledge(3)
      expect(known.isReached).to.equal(true)
    })

    it('for gathered changes only when they are acknowledged too', () => {
      exchange.announce('subscribe', a)
      const first = exchange.acknowledged
      exchange.announce('subscribe', b)
      const second = exchange.acknowledged
      expect([first, second].map(({ isReached }) => isReached)).to.deep.equal([false, false])
      exchange.onAcknowledge(1)
      expect([first, second].map(({ isReached }) => isReached)).to.deep.equal([true, false])
      exchange.onAcknowledge(2)
      expect(second.isReached).to.equal(true)
    })

    it('for changes that cancelled out together with those in flight', () => {
      exchange.announce('subscribe', a)
      exchange.announce('subscribe', b)
      const known = exchange.acknowledged
      exchange.announce('unsubscribe', b)
      const later = exchange.acknowledged
      expect([known, later].map(({ isReached }) => isReached)).to.deep.equal([false, false])
      exchange.onAcknowledge(1)
      expect([known, later].map(({ isReached }) => isReached)).to.deep.equal([true, true])
      expect(sent).to.have.lengthOf(1)
    })

    it('for everything announced before the call, even under constant change', () => {
      const churn = (round: number) => exchange.announce('subscribe', { type: `type.${round}` })
      churn(0)
      for (let round = 1; round < 20; round++) {
        churn(round)
        const known = exchange.acknowledged
        churn(1000 + round)
        exchange.onAcknowledge(2 * round - 1)
        churn(2000 + round)
        expect(known.isReached, `${round}, after one`).to.equal(false)
        exchange.onAcknowledge(2 * round)
        expect(known.isReached, `${round}, after two`).to.equal(true)
      }
    })

    it('not for acknowledgements of unknown sequence numbers, or repeated ones', () => {
      for (const sequence of [0, 1, 7, Number.MAX_SAFE_INTEGER]) exchange.onAcknowledge(sequence)
      exchange.announce('subscribe', a)
      exchange.announce('subscribe', b)
      for (const sequence of [0, 2, 7, Number.MAX_SAFE_INTEGER, -1]) exchange.onAcknowledge(sequence)
      expect(exchange.acknowledged.isReached).to.equal(false)
      expect(sent).to.have.lengthOf(1)
      exchange.onAcknowledge(1)
      exchange.onAcknowledge(1)
      expect(sent).to.have.lengthOf(2)
      expect(exchange.acknowledged.isReached).to.equal(false)
      exchange.onAcknowledge(2)
      expect(exchange.acknowledged.isReached).to.equal(true)
    })

    it('for all callers, past and future, when the link ends, and sends nothing more', () => {
      exchange.announce('subscribe', a)
      const underWay = exchange.acknowledged
      exchange.announce('subscribe', b)
      const gathered = exchange.acknowledged
      exchange.end()
      exchange.end()
      const all = [underWay, gathered, exchange.acknowledged]
      expect(all.map(({ isReached }) => isReached)).to.deep.equal([true, true, true])
      for (const sequence of [1, 2]) exchange.onAcknowledge(sequence)
      expect(sent).to.have.lengthOf(1)
    })

    it('never too early and always in the end, for any order of changes and acknowledgements', () => {
      const step = fc.oneof(
        { weight: 5, arbitrary: fc.record({ toggle: fc.nat(5) }) },
        { weight: 1, arbitrary: fc.record({ join: fc.boolean() }) },
        { weight: 3, arbitrary: fc.constantFrom('deliver', 'acknowledge', 'ask') },
      )
      fc.assert(
        fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
          const model = new InterestModel()
          for (const step of steps) {
            if (typeof step === 'string') model[step]()
            else if ('toggle' in step) model.toggle(step.toggle)
            else model.member(step.join)
            model.check()
          }
          model.finish()
        }),
        { numRuns: 150 },
      )
    })
  })
})
