import { expect } from 'chai'
import fc from 'fast-check'
import { agree, helloOf, PROTOCOL_VERSIONS } from '../../src/mesh/agreement'
import { HANDSHAKE_FRAME_BYTES } from '../../src/model/limits'
import { type Hello, toElements } from '../../src/wire/message'
import { helloFields } from '../support/raw-peer'
import { violation } from '../support/violation'

const LIMITS = { frameLimit: 10_000, window: 100_000, requestLimit: 100 }
const OURS = helloFields({ versions: [2, 4], name: 'shop', id: '0000000000abc', ...LIMITS })
const THEIRS: Hello = { ...OURS, name: 'till', id: '0000000000abd', groups: ['web'] }

/** The agreement of our hello and theirs with these changes. */
const agreeing = (changes: Partial<Hello>) => agree(OURS, { ...THEIRS, ...changes }, undefined)

/** The reason for which these changes are refused. */
const refusalOf = (changes: Partial<Hello>) => violation(() => agreeing(changes))

describe('agree', () => {
  describe('on a version', () => {
    const COMMON: [number, number][] = [
      [2, 4],
      [1, 9],
      [3, 3],
      [1, 2],
      [4, 9],
      [0, 3],
    ]
    for (const versions of COMMON) {
      it(`accepts a peer with versions ${versions.join(' to ')} where ours are 2 to 4`, () => {
        expect(() => agreeing({ versions })).not.to.throw()
      })
    }

    for (const versions of [
      [5, 9],
      [0, 1],
      [0, 0],
      [4, 2],
      [9, 2],
    ] as const) {
      it(`refuses a peer with versions ${versions.join(' to ')} where ours are 2 to 4`, () => {
        expect(refusalOf({ versions })).to.equal('version-mismatch')
        expect(() => agreeing({ versions })).to.throw(
          `till speaks protocol version ${[...new Set(versions)].join(' to ')}, shop speaks 2 to 4; upgrade the older one`,
        )
      })
    }

    it('accepts the peer exactly if there is a common version, on both sides alike', () => {
      const range = fc
        .tuple(fc.nat(9), fc.nat(9))
        .map(([one, other]) => [Math.min(one, other), Math.max(one, other)] as const)
      const agrees = (one: Hello, other: Hello) => {
        try {
          agree(one, other, undefined)
          return true
        } catch {
          return false
        }
      }
      fc.assert(
        fc.property(range, range, (ours, theirs) => {
          const one = { ...OURS, versions: ours }
          const other = { ...THEIRS, versions: theirs }
          const hasCommon = Array.from({ length: 10 }, (_, version) => version).some((version) =>
            [ours, theirs].every(([oldest, newest]) => oldest <= version && version <= newest),
          )
          expect(agrees(one, other)).to.equal(hasCommon)
          expect(agrees(other, one)).to.equal(hasCommon)
        }),
      )
    })

    it('accepts a peer with the versions of this code', () => {
      const versions = PROTOCOL_VERSIONS
      expect(() => agree({ ...OURS, versions }, { ...THEIRS, versions }, undefined)).not.to.throw()
    })
  })

  describe('on limits', () => {
    it('takes the smaller frame limit of both sides', () => {
      expect(agreeing({ frameLimit: 5000 }).sendLimit).to.equal(5000)
      expect(agreeing({ frameLimit: 10_000 }).sendLimit).to.equal(10_000)
      expect(agreeing({ frameLimit: 20_000 }).sendLimit).to.equal(10_000)
    })

    it('refuses a frame limit below that of the handshake', () => {
      expect(agreeing({ frameLimit: HANDSHAKE_FRAME_BYTES }).sendLimit).to.equal(HANDSHAKE_FRAME_BYTES)
      expect(refusalOf({ frameLimit: HANDSHAKE_FRAME_BYTES - 1 })).to.equal('malformed')
      expect(refusalOf({ frameLimit: 0 })).to.equal('malformed')
    })

    it('takes the smaller request limit of both sides', () => {
      expect(agreeing({ requestLimit: 50 }).requestLimit).to.equal(50)
      expect(agreeing({ requestLimit: 200 }).requestLimit).to.equal(100)
    })

    it('refuses a window or a request limit of zero', () => {
      for (const changes of [{ window: 0 }, { requestLimit: 0 }]) {
        expect(refusalOf(changes)).to.equal('malformed')
      }
    })

    it('accepts any patterns in accepts, or none', () => {
      for (const accepts of [undefined, [], ['order.*', 'log.>']]) {
        expect(agreeing({ accepts })).to.deep.include({ sendLimit: 10_000, requestLimit: 100 })
      }
    })
  })

  describe('on integers over 64 bits', () => {
    it('sends them only to a peer that says it takes them', () => {
      for (const [bigints, takesBigints] of [
        [undefined, false],
        [false, false],
        [true, true],
      ] as const) {
        expect(agreeing({ bigints }).takesBigints).to.equal(takesBigints)
      }
    })
  })

  describe('on records', () => {
    it('sends them only to a peer that says it takes them, and large integers too', () => {
      for (const [records, bigints, takesRecords] of [
        [undefined, true, false],
        [false, true, false],
        [true, undefined, false],
        [true, true, true],
      ] as const) {
        expect(agreeing({ records, bigints }).takesRecords).to.equal(takesRecords)
      }
    })
  })

  describe('on the identity of the peer', () => {
    const till = { name: 'till', id: '0000000000abd' }

    it('accepts any peer on an incoming connection', () => {
      expect(() => agree(OURS, THEIRS, undefined)).not.to.throw()
    })

    it('accepts the dialled peer', () => {
      expect(() => agree(OURS, THEIRS, till)).not.to.throw()
    })

    it('refuses a peer with another name or id than the dialled address, and names both', () => {
      expect(violation(() => agree(OURS, THEIRS, { ...till, name: 'tills' }))).to.equal('wrong-peer')
      expect(violation(() => agree(OURS, THEIRS, { ...till, id: '0000000000abe' }))).to.equal('wrong-peer')
      expect(() => agree(OURS, THEIRS, { ...till, name: 'tills' })).to.throw(
        'dialled tills~0000000000abd, but till~0000000000abd answered',
      )
    })

    it('refuses invalid names, ids and groups', () => {
      for (const changes of [{ name: '' }, { name: 'a b' }, { id: 'abc' }, { id: '' }, { groups: ['web', '../etc'] }]) {
        expect(refusalOf(changes), JSON.stringify(changes)).to.equal('malformed')
      }
    })

    it('refuses a nonce of another length', () => {
      expect(refusalOf({ nonce: Buffer.alloc(31) })).to.equal('malformed')
    })
  })
})

describe('helloOf', () => {
  const self = { name: 'shop', id: '0000000000abc', groups: ['web'], pid: 4711, ...LIMITS }

  it('holds the identity, the protocol versions and the limits of the endpoint', () => {
    expect(helloOf({ ...self, accepts: ['order.*'] })).to.deep.equal({
      kind: 'hello',
      versions: PROTOCOL_VERSIONS,
      accepts: ['order.*'],
      bigints: true,
      records: true,
      ...self,
    })
  })

  it('leaves accepts out where all types are accepted, unlike where none is', () => {
    const [all, none] = [undefined, []].map((accepts) => toElements(helloOf({ ...self, accepts }))[1])
    expect(all).not.to.have.property('accepts')
    expect(none).to.have.deep.property('accepts', [])
  })
})
