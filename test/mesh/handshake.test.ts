import { expect } from 'chai'
import fc from 'fast-check'
import { agree, helloOf, PROTOCOL_VERSIONS, precedes } from '../../src/mesh/handshake'
import { HANDSHAKE_FRAME_BYTES } from '../../src/model/limits'
import { type Hello, toElements } from '../../src/wire/message'
import { violation } from '../support/violation'

const OURS: Hello = {
  kind: 'hello',
  versions: [2, 4],
  name: 'shop',
  id: '0000000000abc',
  groups: [],
  pid: 1,
  frameLimit: 10_000,
  window: 100_000,
  requestLimit: 100,
}
const THEIRS: Hello = { ...OURS, name: 'till', id: '0000000000abd', groups: ['web'] }

/** What comes of our hello and theirs with these changes. */
const agreeing = (changes: Partial<Hello>) => agree(OURS, { ...THEIRS, ...changes }, undefined)

describe('agree', () => {
  describe('on a version', () => {
    const ranges: [theirs: [number, number], agreed: number][] = [
      [[2, 4], 4],
      [[1, 9], 4],
      [[3, 3], 3],
      [[1, 2], 2],
      [[4, 9], 4],
      [[0, 3], 3],
    ]
    for (const [versions, agreed] of ranges) {
      it(`takes ${agreed} of 2 to 4 and ${versions.join(' to ')}`, () => {
        expect(agreeing({ versions }).version).to.equal(agreed)
      })
    }

    for (const versions of [
      [5, 9],
      [0, 1],
      [0, 0],
      [4, 2],
      [9, 2],
    ] as const) {
      it(`finds none in 2 to 4 and ${versions.join(' to ')}`, () => {
        expect(violation(() => agreeing({ versions }))).to.equal('version-mismatch')
        expect(() => agreeing({ versions })).to.throw(
          `expected a protocol version of 2 to 4, got ${versions.join(' to ')}`,
        )
      })
    }

    it('comes to the same on both sides, and to the newest that both speak', () => {
      const range = fc
        .tuple(fc.nat(9), fc.nat(9))
        .map(([one, other]) => [Math.min(one, other), Math.max(one, other)] as const)
      const agreed = (one: Hello, other: Hello) => {
        try {
          return agree(one, other, undefined).version
        } catch {
          return undefined
        }
      }
      fc.assert(
        fc.property(range, range, (ours, theirs) => {
          const [one, other] = [
            { ...OURS, versions: ours },
            { ...THEIRS, versions: theirs },
          ]
          const common = Array.from({ length: 10 }, (_, version) => version).filter((version) =>
            [ours, theirs].every(([oldest, newest]) => oldest <= version && version <= newest),
          )
          expect(agreed(one, other)).to.equal(common.at(-1))
          expect(agreed(other, one)).to.equal(common.at(-1))
        }),
      )
    })

    it('is possible between two of this version', () => {
      const versions = PROTOCOL_VERSIONS
      expect(agree({ ...OURS, versions }, { ...THEIRS, versions }, undefined).version).to.equal(1)
    })
  })

  describe('on frames', () => {
    it('sends what both take', () => {
      expect(agreeing({ frameLimit: 5000 }).sendLimit).to.equal(5000)
      expect(agreeing({ frameLimit: 10_000 }).sendLimit).to.equal(10_000)
      expect(agreeing({ frameLimit: 20_000 }).sendLimit).to.equal(10_000)
    })

    it('wants a peer to take at least what it takes before the handshake', () => {
      expect(agreeing({ frameLimit: HANDSHAKE_FRAME_BYTES }).sendLimit).to.equal(HANDSHAKE_FRAME_BYTES)
      expect(violation(() => agreeing({ frameLimit: HANDSHAKE_FRAME_BYTES - 1 }))).to.equal('malformed')
      expect(violation(() => agreeing({ frameLimit: 0 }))).to.equal('malformed')
    })
  })

  describe('on who it is', () => {
    const till = { name: 'till', id: '0000000000abd' }

    it('takes anyone where nobody in particular is expected', () => {
      expect(() => agree(OURS, THEIRS, undefined)).not.to.throw()
    })

    it('takes the one who was dialled', () => {
      expect(() => agree(OURS, THEIRS, till)).not.to.throw()
    })

    it('refuses another name or another life of the one who was dialled, with both', () => {
      expect(violation(() => agree(OURS, THEIRS, { ...till, name: 'tills' }))).to.equal('wrong-peer')
      expect(violation(() => agree(OURS, THEIRS, { ...till, id: '0000000000abe' }))).to.equal('wrong-peer')
      expect(() => agree(OURS, THEIRS, { ...till, name: 'tills' })).to.throw(
        'expected tills~0000000000abd at its address, got till~0000000000abd',
      )
    })

    it('takes what it lets in for its own business, any pattern or none', () => {
      for (const accepts of [undefined, [], ['order.*', 'log.>']]) {
        expect(agreeing({ accepts })).to.deep.equal({ version: 4, sendLimit: 10_000, requestLimit: 100 })
      }
    })

    it('refuses what can be no name, id or group', () => {
      for (const changes of [{ name: '' }, { name: 'a b' }, { id: 'abc' }, { id: '' }, { groups: ['web', '../etc'] }]) {
        expect(
          violation(() => agreeing(changes)),
          JSON.stringify(changes),
        ).to.equal('malformed')
      }
    })
  })
})

describe('precedes', () => {
  it('puts any two different ids into one order, that of their characters', () => {
    const id = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
    fc.assert(
      fc.property(id, id, (one, other) => {
        const [first, second] = [one, other].map((bits) => bits.toString(36).padStart(13, '0'))
        expect(precedes(String(first), String(second))).to.equal(one < other)
      }),
    )
  })

  it('puts nobody before itself', () => expect(precedes(OURS.id, OURS.id)).to.equal(false))
})

describe('helloOf', () => {
  const self = {
    name: 'shop',
    id: '0000000000abc',
    groups: ['web'],
    pid: 4711,
    frameLimit: 10_000,
    window: 100_000,
    requestLimit: 100,
  }

  it('says who the endpoint is, what it speaks and what it takes', () => {
    expect(helloOf({ ...self, accepts: ['order.*'] })).to.deep.equal({
      kind: 'hello',
      versions: PROTOCOL_VERSIONS,
      accepts: ['order.*'],
      ...self,
    })
  })

  it('says nothing of what is let in where everything is, which is not the same as nothing', () => {
    const [all, none] = [undefined, []].map((accepts) => toElements(helloOf({ ...self, accepts }))[1])
    expect(all).not.to.have.property('accepts')
    expect(none).to.have.deep.property('accepts', [])
  })
})
