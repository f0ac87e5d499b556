import { expect } from 'chai'
import fc from 'fast-check'
import { type Interest, keyOf } from '../../src/model/interest'
import { HANDSHAKE_FRAME_BYTES } from '../../src/model/limits'
import { encodeMessage } from '../../src/wire/codec'
import { bodyOf } from '../support/frame-bytes'
import { a, member, talking, toldIn } from '../support/interest-talk'

describe('InterestExchange announces the whole interest', () => {
  const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 80 })
  const interest: fc.Arbitrary<Interest> = fc.record(
    {
      type: text,
      from: fc.oneof(fc.array(text, { maxLength: 10 }), fc.record({ group: text })),
      queue: fc.string({ maxLength: 64 }),
      responds: fc.constant(true),
    },
    { requiredKeys: ['type'] },
  )

  it('in frames within the limit, each interest once and in order', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(interest, { maxLength: 200, selector: keyOf }),
        fc.integer({ min: HANDSHAKE_FRAME_BYTES, max: 4 * HANDSHAKE_FRAME_BYTES }),
        (interests, limit) => {
          const { sent, exchange } = talking(() => limit)
          exchange.announceAll(interests)
          for (const message of sent) expect(bodyOf(encodeMessage(message)).length).to.be.at.most(limit)
          expect(toldIn(sent)).to.deep.equal(interests)
          expect(sent.map((message) => (message.kind === 'subscribe' ? message.sequence : 0))).to.deep.equal(
            sent.map((_, index) => index + 1),
          )
        },
      ),
    )
  })

  it('with every member of a queue', () => {
    const { sent, exchange } = talking()
    exchange.announceAll([member, a, member, member])
    expect(toldIn(sent)).to.have.deep.members([a, member, member, member])
  })

  it('in full frames, not in one for each interest', () => {
    const { sent, exchange } = talking()
    exchange.announceAll(Array.from({ length: 1000 }, (_, index) => ({ type: `t${index}` })))
    expect(sent.length).to.be.within(2, 20)
    for (const message of sent) expect(bodyOf(encodeMessage(message)).length).to.be.at.most(HANDSHAKE_FRAME_BYTES)
  })

  it('with the longest names in the smallest frames', () => {
    const { sent, exchange } = talking()
    const from = Array.from({ length: 28 }, (_, index) => `${index}`.padEnd(70, 'x'))
    const interests = Array.from({ length: 20 }, (_, index) => {
      return { type: `${index}.`.padEnd(255, 'x'), from, queue: 'q'.repeat(64), responds: true }
    })
    exchange.announceAll(interests)
    for (const message of sent) expect(bodyOf(encodeMessage(message)).length).to.be.at.most(HANDSHAKE_FRAME_BYTES)
    expect(toldIn(sent)).to.deep.equal(interests)
  })

  it('without a message if there is none', () => {
    const { sent, exchange } = talking()
    exchange.announceAll([])
    expect(sent).to.deep.equal([])
  })
})
