import { expect } from 'chai'
import { z } from 'zod'
import { defineEvent } from '../../src'
import { checkHandler, type SubscribeOptions, subscribeSettings } from '../../src/events/subscribe-options'
import { InvalidArgument } from '../../src/model/errors'

const handler = () => {}

/** The settings of options that TypeScript rejects. */
function settingsWith(options: unknown): unknown {
  return Reflect.apply(subscribeSettings, undefined, ['a', handler, options])
}

describe('subscribeSettings', () => {
  it('fills in defaults', () => {
    expect(subscribeSettings('a.*', handler, {})).to.deep.equal({
      interest: { type: 'a.*', from: undefined, queue: undefined },
      consumption: { kind: 'handler', handle: handler, concurrency: 1 },
      schema: undefined,
      signal: undefined,
    })
  })

  it("takes every given option, and the definition's schema", () => {
    const schema = z.string()
    const { signal } = new AbortController()
    const options: SubscribeOptions = { from: { group: 'web' }, queue: 'mailers', concurrency: 7, signal }
    expect(subscribeSettings(defineEvent('a', schema), handler, options)).to.deep.equal({
      interest: { type: 'a', from: { group: 'web' }, queue: 'mailers', capacity: 8 },
      consumption: { kind: 'handler', handle: handler, concurrency: 7, isAdaptive: true },
      schema,
      signal,
    })
  })

  it('has events of a queue dealt out when they are broadcast only with a prefetch of Infinity', () => {
    const { interest, consumption } = subscribeSettings('a', handler, {
      queue: 'mailers',
      prefetch: Number.POSITIVE_INFINITY,
    })
    expect(interest).not.to.have.property('capacity')
    expect(consumption).not.to.have.property('isAdaptive')
    expect(subscribeSettings('a', handler, {}).interest).not.to.have.property('capacity')
  })

  it('treats a name as a list of one', () => {
    expect(subscribeSettings('a', handler, { from: 'shop' }).interest.from).to.deep.equal(['shop'])
    expect(subscribeSettings('a', handler, { from: ['shop'] }).interest.from).to.deep.equal(['shop'])
    expect(subscribeSettings('a', handler, { from: [] }).interest.from).to.deep.equal([])
  })

  it('accepts any concurrency from 1 to Infinity', () => {
    for (const concurrency of [1, 2, 2 ** 40, Number.POSITIVE_INFINITY]) {
      expect(subscribeSettings('a', handler, { concurrency }).consumption).to.have.property('concurrency', concurrency)
    }
  })

  it('accepts no more names than fit into any frame', () => {
    const names = Array.from({ length: 29 }, (_, index) => `${index}`.padEnd(64, 'x'))
    expect(subscribeSettings('a', handler, { from: names }).interest.from).to.deep.equal(names)
    expect(() => subscribeSettings('a', handler, { from: [...names, ...names] })).to.throw(
      InvalidArgument,
      'from: expected at most 2048 bytes of names, got 3887',
    )
    expect(() => subscribeSettings('a', handler, { from: { group: 'é'.repeat(1100) } })).to.throw(
      InvalidArgument,
      'got 2212',
    )
  })

  const bad: Record<string, [options: unknown, message: string]> = {
    'a from that is a number': [{ from: 7 }, 'from: expected a name, an array of names or { group }, got 7'],
    'a from that is null': [{ from: null }, 'from: expected a name, an array of names or { group }, got null'],
    'names that are not strings': [{ from: ['shop', 7] }, 'from: expected a name, an array of names or { group }'],
    'a queue that is a path': [
      { queue: 'a/b' },
      "queue: expected 1 to 64 of A-Z a-z 0-9 . _ -, the first a letter or a digit, got 'a/b'",
    ],
    'a queue without a name': [
      { queue: '' },
      "queue: expected 1 to 64 of A-Z a-z 0-9 . _ -, the first a letter or a digit, got ''",
    ],
    'a queue that is null': [
      { queue: null },
      'queue: expected 1 to 64 of A-Z a-z 0-9 . _ -, the first a letter or a digit, got null',
    ],
    'a queue that is not a string': [{ queue: ['q'] }, 'queue: expected 1 to 64'],
  }
  for (const value of [0, -1, 1.5, Number.NaN, Number.NEGATIVE_INFINITY, '2', null, 2n]) {
    bad[`a concurrency of ${String(value)}`] = [
      { concurrency: value },
      'concurrency: expected a whole number from 1 up, or Infinity, got ',
    ]
  }

  for (const [what, [options, message]] of Object.entries(bad)) {
    it(`throws InvalidArgument for ${what}`, () => {
      expect(() => settingsWith(options)).to.throw(InvalidArgument, message)
    })
  }

  it('throws InvalidArgument for an invalid type and for a handler that is not a function', () => {
    expect(() => subscribeSettings('a b', handler, {})).to.throw(InvalidArgument, 'event type: expected')
    for (const value of [undefined, null, {}, 'handler']) {
      expect(() => checkHandler(value)).to.throw(InvalidArgument, 'handler: expected a function, got ')
    }
  })
})
