import { expect } from 'chai'
import fc from 'fast-check'
import { encodeMessage } from '../src/codec'
import { Interest } from '../src/interest'
import { HANDSHAKE_FRAME } from '../src/limits'
import type { Message } from '../src/message'
import { bodyOf } from './frame-bytes'

/** An interest, and what it has sent to the peer. */
function talking() {
  const sent: Message[] = []
  return { sent, interest: new Interest((message) => sent.push(message)) }
}

/** Has the promise resolved by the end of the turn? */
async function isResolved(promise: Promise<void>): Promise<boolean> {
  const turn = new Promise<boolean>((resolve) => setImmediate(resolve, false))
  return Promise.race([promise.then(() => true), turn])
}

describe('Interest', () => {
  describe('announces', () => {
    it('each change under a number of its own, counted from 1', () => {
      const { sent, interest } = talking()
      void interest.announce('subscribe', ['a'])
      void interest.announce('unsubscribe', ['a'])
      void interest.announce('subscribe', ['b', 'c'])
      expect(sent).to.deep.equal([
        { kind: 'subscribe', sequence: 1, types: ['a'] },
        { kind: 'unsubscribe', sequence: 2, types: ['a'] },
        { kind: 'subscribe', sequence: 3, types: ['b', 'c'] },
      ])
    })

    it('and resolves when that very change is acknowledged, in whatever order', async () => {
      const { interest } = talking()
      const changes = ['a', 'b', 'c'].map((type) => interest.announce('subscribe', [type]))
      const resolved = () => Promise.all(changes.map(isResolved))
      expect(await resolved()).to.deep.equal([false, false, false])
      interest.acknowledged(2)
      expect(await resolved()).to.deep.equal([false, true, false])
      interest.acknowledged(1)
      expect(await resolved()).to.deep.equal([true, true, false])
      interest.acknowledged(3)
      expect(await resolved()).to.deep.equal([true, true, true])
    })

    it('and passes over acknowledgements of what was never announced, or for the second time', async () => {
      const { interest } = talking()
      for (const sequence of [0, 1, 7, Number.MAX_SAFE_INTEGER]) interest.acknowledged(sequence)
      const change = interest.announce('subscribe', ['a'])
      expect(await isResolved(change)).to.equal(false)
      interest.acknowledged(1)
      interest.acknowledged(1)
      expect(await isResolved(change)).to.equal(true)
    })

    it('and resolves all that waits when the link ends', async () => {
      const { interest } = talking()
      const changes = ['a', 'b'].map((type) => interest.announce('subscribe', [type]))
      interest.end()
      interest.end()
      expect(await Promise.all(changes.map(isResolved))).to.deep.equal([true, true])
    })
  })

  describe('announces everything', () => {
    const type = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 80 })

    it('in frames within the limit, each type once and in order', () => {
      fc.assert(
        fc.property(
          fc.array(type, { maxLength: 400 }),
          fc.integer({ min: HANDSHAKE_FRAME, max: 4 * HANDSHAKE_FRAME }),
          (types, limit) => {
            const { sent, interest } = talking()
            interest.announceAll(types, limit)
            for (const message of sent) expect(bodyOf(encodeMessage(message)).length).to.be.at.most(limit)
            expect(sent.flatMap((message) => (message.kind === 'subscribe' ? message.types : []))).to.deep.equal(types)
            expect(sent.map((message) => (message.kind === 'subscribe' ? message.sequence : 0))).to.deep.equal(
              sent.map((_, index) => index + 1),
            )
          },
        ),
      )
    })

    it('in frames that are filled, not one for each type', () => {
      const { sent, interest } = talking()
      interest.announceAll(
        Array.from({ length: 1000 }, (_, index) => `t${index}`),
        HANDSHAKE_FRAME,
      )
      expect(sent.length).to.be.within(2, 10)
      for (const message of sent) expect(bodyOf(encodeMessage(message)).length).to.be.at.most(HANDSHAKE_FRAME)
    })

    it('with the longest names in the least of frames', () => {
      const { sent, interest } = talking()
      const types = Array.from({ length: 100 }, (_, index) => `${index}.`.padEnd(255, 'x'))
      interest.announceAll(types, HANDSHAKE_FRAME)
      for (const message of sent) expect(bodyOf(encodeMessage(message)).length).to.be.at.most(HANDSHAKE_FRAME)
      expect(sent.flatMap((message) => (message.kind === 'subscribe' ? message.types : []))).to.deep.equal(types)
    })

    it('with no message where there is nothing to tell', () => {
      const { sent, interest } = talking()
      interest.announceAll([], HANDSHAKE_FRAME)
      expect(sent).to.deep.equal([])
    })
  })

  describe('learns', () => {
    it('what the peer wants and no longer wants, and acknowledges each change', () => {
      const { sent, interest } = talking()
      interest.learn({ kind: 'subscribe', sequence: 1, types: ['a', 'b'] })
      expect([...interest.theirs]).to.deep.equal(['a', 'b'])
      interest.learn({ kind: 'unsubscribe', sequence: 5, types: ['a', 'never'] })
      interest.learn({ kind: 'subscribe', sequence: 5, types: ['b', 'c', 'c'] })
      interest.learn({ kind: 'subscribe', sequence: 6, types: [] })
      expect([...interest.theirs]).to.deep.equal(['b', 'c'])
      expect(sent).to.deep.equal([1, 5, 5, 6].map((sequence) => ({ kind: 'acknowledge', sequence })))
    })

    it('nothing from its own announcements', () => {
      const { interest } = talking()
      void interest.announce('subscribe', ['ours'])
      expect([...interest.theirs]).to.deep.equal([])
    })
  })
})
