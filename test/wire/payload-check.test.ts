import { expect } from 'chai'
import fc from 'fast-check'
import { UnserializablePayload } from '../../src/model/errors'
import { EventEncoder } from '../../src/wire/event-encoder'
import { findFlaw, MAX_DEPTH } from '../../src/wire/payload-check'
import { readEvent } from '../support/read-event'

const encoder = new EventEncoder(1024 * 1024)

/** What arrives, or the message with which the payload was refused. */
function sent(payload: unknown): { arrived: unknown } | { refused: string } {
  try {
    const { bytes, start, end } = encoder.event('t', payload)
    return { arrived: readEvent({ bytes, start, end }).payload }
  } catch (error) {
    if (error instanceof UnserializablePayload) return { refused: error.message }
    throw error
  }
}

function refusal(payload: unknown): string {
  const outcome = sent(payload)
  return 'refused' in outcome ? outcome.refused : expect.fail('expected a refusal, got none')
}

/** A value inside so many arrays. */
function nested(depth: number, value: unknown = 1): unknown {
  let outer = value
  for (let level = 0; level < depth; level++) outer = [outer]
  return outer
}

const cycle: Record<string, unknown> = {}
cycle.a = [cycle]

describe('a payload', () => {
  const flaws: Readonly<Record<string, [payload: unknown, flaw: string]>> = {
    'a function': [function handler() {}, 'payload is a function (handler)'],
    'a class': [class Order {}, 'payload is a function (Order)'],
    'a symbol': [Symbol('s'), 'payload is Symbol(s)'],
    'a function in an array': [[1, () => {}], 'payload[1] is a function'],
    'a function deep inside': [
      { items: [{}, { callback() {} }] },
      'payload.items[1].callback is a function (callback)',
    ],
    'a symbol in a Map': [new Map([['key', Symbol('s')]]), "payload.get('key') is Symbol(s)"],
    'a function in a Set': [new Set([1, () => {}]), 'payload[1] is a function'],
    'a function under an odd key': [{ 'a b': { 'x-y': () => {} } }, 'payload["a b"]["x-y"] is a function (x-y)'],
    'a function under a key outside ASCII': [{ größe: () => {} }, 'payload.größe is a function (größe)'],
    'a function in an instance of a class': [
      new (class Order {
        act = () => {}
      })(),
      'payload.act is a function (act)',
    ],
    'a bigint over 64 bits': [{ a: 2n ** 64n }, `payload.a is ${2n ** 64n}n, which does not fit into 64 bits`],
    'a bigint under 64 bits': [
      [-(2n ** 63n) - 1n],
      `payload[0] is ${-(2n ** 63n) - 1n}n, which does not fit into 64 bits`,
    ],
    'an object that holds itself': [cycle, 'payload.a[0] is an object that holds itself'],
  }

  for (const [what, [payload, flaw]] of Object.entries(flaws)) {
    it(`that is or holds ${what} is refused, with the place`, () => {
      expect(refusal(payload)).to.equal(`expected a payload that msgpack can carry, but ${flaw}`)
      expect(findFlaw(payload)).to.equal(flaw)
    })
  }

  it('is refused with the place of what is wrong, wherever that is', () => {
    const plain = fc.oneof(fc.integer(), fc.string(), fc.constant(null), fc.constant([{ a: [1] }]))
    const step = fc.oneof(
      fc.record({ kind: fc.constant('array' as const), before: fc.array(plain, { maxLength: 3 }) }),
      fc.record({
        kind: fc.constant('object' as const),
        before: fc.constantFrom('b', 'c'),
        key: fc.constantFrom('x', 'y'),
      }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), fc.constantFrom(Symbol('flaw'), 2n ** 70n), (steps, flaw) => {
        let [payload, path]: [unknown, string] = [flaw, '']
        for (const step of steps) {
          if (step.kind === 'array') {
            payload = [...step.before, payload, 1]
            path = `[${step.before.length}]${path}`
          } else {
            payload = { [step.before]: { fine: true }, [step.key]: payload }
            path = `.${step.key}${path}`
          }
        }
        expect(refusal(payload)).to.contain(`but payload${path} is ${typeof flaw === 'symbol' ? 'Symbol(flaw)' : flaw}`)
      }),
    )
  })

  it('that holds itself is refused before its text has been packed again and again', () => {
    const before = process.memoryUsage.rss()
    const payload: { text: string; self?: unknown; list?: unknown } = { text: 'x'.repeat(300_000) }
    payload.self = payload
    expect(refusal(payload)).to.contain('payload.self is an object that holds itself')
    const list: unknown[] = ['x'.repeat(10_000)]
    list.push(list)
    expect(refusal({ list })).to.contain('payload.list[1] is an object that holds itself')
    expect(process.memoryUsage.rss() - before).to.be.below(64 * 1024 * 1024)
    expect(sent({ a: 1 })).to.deep.equal({ arrived: { a: 1 } })
  })

  it('is refused with the cause', () => {
    class Price {
      toJSON() {
        throw new Error('no')
      }
    }
    expect(() => encoder.event('t', [new Price()]))
      .to.throw(UnserializablePayload)
      .with.property('cause')
      .that.is.instanceOf(Error)
  })

  it('may hold the same object at several places, which is no cycle', () => {
    const same = { a: [1] }
    expect(findFlaw([same, { b: same }, same])).to.equal(undefined)
    expect(sent([same, { b: same }])).to.deep.equal({ arrived: [{ a: [1] }, { b: { a: [1] } }] })
  })

  it('may hold bigints of up to 64 bits, signed or not', () => {
    const bounds = [2n ** 64n - 1n, 2n ** 63n, 2n ** 63n - 1n, 0n, -1n, -(2n ** 63n)]
    expect(findFlaw(bounds)).to.equal(undefined)
    expect(sent(bounds)).to.deep.equal({ arrived: bounds })
  })

  it('is written as its toJSON says, where its class has one', () => {
    class Price {
      toJSON() {
        return { cents: 150 }
      }
    }
    expect(sent([new Price()])).to.deep.equal({ arrived: [{ cents: 150 }] })
  })

  it('is refused for what its toJSON returns', () => {
    class Price {
      toJSON() {
        return { cents: () => 150 }
      }
    }
    expect(refusal([new Price()])).to.contain('but payload[0].toJSON().cents is a function')
  })

  it('never arrives as something else where a plain object has a toJSON: it is obeyed or refused', () => {
    const outcome = sent([{ cents: 1, toJSON: () => ({ cents: 150 }) }])
    if ('arrived' in outcome) expect(outcome.arrived).to.deep.equal([{ cents: 150 }])
  })

  it('is refused where the cause of an Error holds a function', () => {
    expect(refusal([new Error('no', { cause: { retry: () => {} } })])).to.contain('is a function')
  })

  it(`may be nested ${MAX_DEPTH} levels deep`, () => {
    expect(findFlaw(nested(MAX_DEPTH))).to.equal(undefined)
    const outcome = sent(nested(MAX_DEPTH))
    expect(JSON.stringify(outcome)).to.equal(JSON.stringify({ arrived: nested(MAX_DEPTH) }))
  })

  it(`is refused where it is nested deeper than ${MAX_DEPTH} levels`, () => {
    expect(findFlaw(nested(MAX_DEPTH + 1))).to.match(/^payload[[\]0]+… is nested deeper than 512 levels$/)
    expect(refusal(nested(MAX_DEPTH + 1))).to.contain('is nested deeper than 512 levels')
    expect(refusal(nested(100_000))).to.contain('is nested deeper than 512 levels')
  })

  it('is refused where a getter or toJSON throws, with what it threw', () => {
    const throwing = [
      {
        get total() {
          throw new RangeError('no total')
        },
      },
      new (class Price {
        toJSON() {
          throw new RangeError('no total')
        }
      })(),
    ]
    for (const payload of throwing) expect(refusal(payload)).to.contain('no total')
  })

  it('is refused where a key of a Map has no form as a key of an object, since no receiver could read it', () => {
    for (const key of [{}, [], Buffer.from('key'), new Date(0), new Map()]) {
      expect(refusal(new Map([[key, 1]])), String(key)).to.contain('a payload that msgpack can carry')
    }
  })

  it('never carries bytes that are not its own: a typed array arrives as its bytes or is refused', () => {
    const { buffer } = new Uint8Array([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15])
    const views = [
      new Int8Array(buffer),
      new Uint8ClampedArray(buffer),
      new Uint16Array(buffer),
      new Int32Array(buffer),
      new Float32Array(buffer),
      new Float64Array(buffer),
      new BigInt64Array(buffer),
      new DataView(buffer),
    ]
    for (const view of views) {
      const outcome = sent([view])
      if ('arrived' in outcome) expect(outcome.arrived, view.constructor.name).to.deep.equal([Buffer.from(buffer)])
    }
  })
})
