import { expect } from 'chai'
import { describe as describeValue } from '../../src/model/errors'
import { checkOverflow, policyOf } from '../../src/model/overflow'
import { rejection } from '../support/rejection'
import { throwing } from '../support/throwing'

const POLICIES = ['wait', 'dropOldest', 'dropNewest', 'latest', 'disconnect'] as const

describe('checkOverflow', () => {
  for (const policy of POLICIES) {
    it(`accepts '${policy}'`, () => {
      expect(checkOverflow('overflow', policy)).to.equal(policy)
    })
  }

  it('accepts a key function', () => {
    const overflow = checkOverflow('overflow', { latest: (payload: unknown) => `key of ${payload}` })
    expect(overflow).to.be.an('object')
    expect(policyOf(overflow, 'price', 5)).to.deep.equal({ kind: 'latest', key: 'price key of 5' })
  })

  for (const value of [undefined, null, 'drop', 1, {}, { latest: 'symbol' }, () => 'wait']) {
    it(`rejects ${typeof value === 'object' ? JSON.stringify(value) : String(value)} and lists what it accepts`, async () => {
      const error = await rejection(() => checkOverflow('overflow', value))
      expect(error).to.include({ code: 'LAHJA_INVALID_ARGUMENT' })
      expect(error.message).to.match(/^overflow: expected 'wait', .* or 'disconnect', got /)
    })
  }
})

describe('policyOf', () => {
  for (const kind of ['wait', 'dropOldest', 'dropNewest', 'disconnect'] as const) {
    it(`returns the same object for every event with '${kind}'`, () => {
      expect(policyOf(kind, 'a', 1)).to.deep.equal({ kind })
      expect(policyOf(kind, 'a', 1)).to.equal(policyOf(kind, 'b', 2))
    })
  }

  it('has one key per type with latest', () => {
    expect(policyOf('latest', 'a', 1)).to.deep.equal(policyOf('latest', 'a', 2))
    expect(policyOf('latest', 'a', 1)).not.to.deep.equal(policyOf('latest', 'b', 1))
  })

  it('has one key per type and result of a key function, which it calls once', () => {
    const asked: unknown[] = []
    const latest = (payload: unknown) => {
      asked.push(payload)
      return typeof payload === 'number' ? payload % 2 : 'none'
    }
    const keys = [1, 2, 3].map((payload) => policyOf({ latest }, 'a', payload))
    expect(keys[0]).to.deep.equal(keys[2])
    expect(keys[0]).not.to.deep.equal(keys[1])
    expect(policyOf({ latest }, 'b', 1)).not.to.deep.equal(keys[0])
    expect(asked).to.deep.equal([1, 2, 3, 1])
  })

  it('never has the same key for a type with and without a key function', () => {
    expect(policyOf({ latest: () => '' }, 'a', 1)).not.to.deep.equal(policyOf('latest', 'a', 1))
  })

  for (const key of [undefined, null, { id: 1 }, true, 1n, Symbol('s')]) {
    it(`refuses a key function that returns ${describeValue(key)}, with which all events would be one`, async () => {
      const overflow = checkOverflow('overflow', { latest: () => key })
      const error = await rejection(() => policyOf(overflow, 'ship.moved', 1))
      expect(error).to.include({ code: 'LAHJA_INVALID_ARGUMENT' })
      expect(error.message).to.equal(
        `overflow.latest of event ship.moved: expected a string or a number as the key, got ${describeValue(key)}`,
      )
    })
  }

  it('names the event whose key function throws, and keeps the cause', async () => {
    const thrown = new Error('no key')
    const error = await rejection(() => policyOf({ latest: throwing(thrown) }, 'ship.moved', 1))
    expect(error).to.include({ code: 'LAHJA_INVALID_ARGUMENT', cause: thrown })
    expect(error.message).to.equal('overflow.latest of event ship.moved failed: no key')
  })
})
