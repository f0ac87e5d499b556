import { expect } from 'chai'
import fc from 'fast-check'
import { Packr } from 'msgpackr'
import { UnserializablePayload } from '../../src/model/errors'
import { EventEncoder } from '../../src/wire/event-encoder'
import { MAX_DEPTH } from '../../src/wire/packed-value'
import { PayloadWriter } from '../../src/wire/payload-writer'
import { payload as payloads } from '../support/message-arbitraries'
import { readEvent } from '../support/read-event'
import { throwing } from '../support/throwing'

const encoder = new EventEncoder(1024 * 1024)

/** The payload that arrives, or the message of the error. */
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
  return 'refused' in outcome ? outcome.refused : expect.fail('the payload was not rejected')
}

/** A value inside this many arrays. */
function nested(depth: number, value: unknown = 1): unknown {
  let outer = value
  for (let level = 0; level < depth; level++) outer = [outer]
  return outer
}

/** A class with a toJSON. */
class Price {
  readonly #json: () => unknown

  constructor(json: () => unknown) {
    this.#json = json
  }

  toJSON(): unknown {
    return this.#json()
  }
}

const cycle: Record<string, unknown> = {}
cycle.a = [cycle]
const ringSet = new Set<unknown>()
ringSet.add([ringSet])
const ringMap = new Map<string, unknown>()
ringMap.set('a', { b: ringMap })

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
    'a bigint of over 4,096 bytes': [
      { a: 2n ** 32_767n },
      'payload.a is a bigint of 4097 bytes; the longest integers have 4096 bytes',
    ],
    'a negative bigint of over 4,096 bytes': [
      [-(2n ** 32_767n) - 1n],
      'payload[0] is a bigint of 4097 bytes; the longest integers have 4096 bytes',
    ],
    'a Map with the keys 1 and 1 as text': [
      {
        byId: new Map<unknown, string>([
          [1, 'n'],
          ['1', 's'],
        ]),
      },
      "payload.byId has the keys 1 and '1', which arrive as the same text; make them differ",
    ],
    'a Map with the keys true and true as text': [
      new Map<unknown, string>([
        ['true', 's'],
        [true, 'b'],
      ]),
      "payload has the keys 'true' and true, which arrive as the same text; make them differ",
    ],
    'a Map with a number and a bigint of the same digits for keys': [
      [
        new Map<unknown, string>([
          [7, 'n'],
          [7n, 'b'],
        ]),
      ],
      'payload[0] has the keys 7 and 7n, which arrive as the same text; make them differ',
    ],
    'an object that contains itself': [cycle, 'payload.a[0] contains itself'],
    'an array behind an object that contains itself': [[1, { cycle }], 'payload[1].cycle.a[0] contains itself'],
    'a Set that contains itself': [ringSet, 'payload[0][0] contains itself'],
    'a Map that contains itself': [ringMap, "payload.get('a').b contains itself"],
  }

  for (const [what, [payload, flaw]] of Object.entries(flaws)) {
    it(`that is or contains ${what} is rejected with the path`, () => {
      expect(refusal(payload)).to.equal(`the payload can't be sent: ${flaw}`)
    })
  }

  it('is rejected with the path to a flaw at any place', () => {
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
      fc.property(fc.array(step, { maxLength: 12 }), fc.constantFrom(Symbol('flaw'), 2n ** 40_000n), (steps, flaw) => {
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
        expect(refusal(payload)).to.contain(
          `sent: payload${path} is ${typeof flaw === 'symbol' ? 'Symbol(flaw)' : 'a bigint of 5001 bytes'}`,
        )
      }),
    )
  })

  it('that contains itself is rejected before it fills the memory', () => {
    const before = process.memoryUsage.rss()
    const payload: { text: string; self?: unknown; list?: unknown } = { text: 'x'.repeat(300_000) }
    payload.self = payload
    expect(refusal(payload)).to.contain('payload.self contains itself')
    const list: unknown[] = ['x'.repeat(10_000)]
    list.push(list)
    expect(refusal({ list })).to.contain('payload.list[1] contains itself')
    expect(process.memoryUsage.rss() - before).to.be.below(64 * 1024 * 1024)
    expect(sent({ a: 1 })).to.deep.equal({ arrived: { a: 1 } })
  })

  it('that is a Map that contains itself is rejected', () => {
    const map = new Map<unknown, unknown>([['first', 1]])
    map.set('again', { map })
    expect(refusal(map)).to.contain("sent: payload.get('again').map contains itself")
    expect(refusal([new Set([1, map])])).to.contain("sent: payload[0][1].get('again').map contains itself")
  })

  it('that is a large Set that contains itself is copied once', () => {
    let copies = 0
    const counted = {
      get a() {
        return copies++
      },
    }
    const set = new Set<unknown>([counted])
    set.add([set])
    expect(refusal(set)).to.contain('sent: payload[1][0] contains itself')
    expect(refusal({ set })).to.contain('sent: payload.set[1][0] contains itself')
    expect(copies).to.equal(2)
    expect(sent([set.size, new Set([1]), new Set([1])])).to.deep.equal({ arrived: [2, [1], [1]] })
  })

  it('has the entries that a Map has had when it was read first, whatever its getters do', () => {
    const growing = new Map<string, unknown>()
    const value = {
      get a() {
        growing.set(`more ${growing.size}`, 1)
        return 1
      },
    }
    growing.set('value', value).set('other', value)
    expect(sent(growing)).to.deep.equal({ arrived: { value: { a: 1 }, other: { a: 1 } } })
    const shrinking = new Map<string, unknown>()
    shrinking.set('first', Object.defineProperty({}, 'a', { get: () => shrinking.delete('last'), enumerable: true }))
    shrinking.set('last', 1)
    expect(sent(shrinking)).to.deep.equal({ arrived: { first: { a: true } } })
    expect(sent(new Map(Array.from({ length: 20 }, (_, key) => [key, key])))).to.have.nested.property('arrived.19', 19)
  })

  it('arrives the same, whatever was sent before', () => {
    const hidden = (key: string, value: unknown) => Object.defineProperty({ a: 1 }, key, { value })
    const odd: Readonly<Record<string, () => unknown>> = {
      'a hidden toJSON': () => hidden('toJSON', () => 2),
      'a hidden then': () => hidden('then', () => {}),
      'a dispose under its symbol': () => ({ a: 1, [Symbol.dispose]() {} }),
      'a Map without its prototype': () => Object.setPrototypeOf(new Map([[1, 1]]), Object.prototype),
      'a promise of a kind': () => Object.fromEntries([['then', () => {}]]),
      'an iterator of a kind': () => ({ next() {}, [Symbol.iterator]() {} }),
      'an own toJSON': () => ({ a: 1, toJSON: () => 2 }),
    }
    for (const [what, make] of Object.entries(odd)) {
      const outcomes = [{ a: 1 }, { toJSON: () => 1 }, { refused() {} }].map((before) => {
        sent(before)
        return sent([make()])
      })
      for (const outcome of outcomes) expect(outcome, what).to.deep.equal(outcomes[0])
    }
  })

  it('may hold a Map and a Set more than once', () => {
    const map = new Map([['a', 1]])
    const set = new Set([map])
    expect(sent([map, set, set, { map }])).to.deep.equal({
      arrived: [{ a: 1 }, [{ a: 1 }], [{ a: 1 }], { map: { a: 1 } }],
    })
    expect(refusal([map, new Map([['f', Symbol('s')]])])).to.contain("sent: payload[1].get('f') is Symbol(s)")
    expect(sent([map, set])).to.deep.equal({ arrived: [{ a: 1 }, [{ a: 1 }]] })
  })

  it('is rejected with what its toJSON throws as the cause', () => {
    expect(() => encoder.event('t', [new Price(throwing(new Error('no')))]))
      .to.throw(UnserializablePayload)
      .with.property('cause')
      .that.is.instanceOf(Error)
  })

  it('is written in the same bytes as by msgpackr', () => {
    const packr = new Packr({ useRecords: false, variableMapSize: true, structuredClone: false })
    const dates = fc.date({ noInvalidDate: false })
    const numbers = fc.oneof(fc.double(), fc.integer({ min: -70_000, max: 70_000 }), fc.maxSafeInteger())
    const bigints = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n })
    const lengths = fc.constantFrom(0, 31, 32, 255, 256, 65_535, 65_536)
    const texts = lengths.map((length) => 'x'.repeat(length))
    const lists = lengths.map((length) => Array.from({ length }, () => 1))
    const values = fc.oneof(payloads, dates, numbers, bigints, texts, texts.map(Buffer.from), lists)
    fc.assert(
      fc.property(fc.array(values, { maxLength: 5 }), (value) => {
        const writer = new PayloadWriter()
        writer.payload(value, 1024 * 1024)
        expect(writer.bytes.subarray(0, writer.end).equals(packr.pack(value))).to.equal(true)
      }),
    )
  })

  it('may contain the same object several times without a cycle', () => {
    const same = { a: [1] }
    expect(sent([same, { b: same }])).to.deep.equal({ arrived: [{ a: [1] }, { b: { a: [1] } }] })
  })

  it('may contain bigints of up to 64 bits, signed or not', () => {
    const bounds = [2n ** 64n - 1n, 2n ** 63n, 2n ** 63n - 1n, 0n, -1n, -(2n ** 63n)]
    expect(sent(bounds)).to.deep.equal({ arrived: bounds })
  })

  it('may contain bigints of any size up to 4,096 bytes, in their shortest form', () => {
    const bits = fc.integer({ min: 1, max: 32_767 })
    const ofAnySize = bits.chain((bits) => fc.bigInt({ min: -(2n ** BigInt(bits)), max: 2n ** BigInt(bits) - 1n }))
    const bounds = [63n, 64n, 71n, 79n, 127n, 128n, 2039n].flatMap((bits) => [2n ** bits, -(2n ** bits)])
    const nearBounds = fc
      .tuple(fc.constantFrom(...bounds), fc.constantFrom(-1n, 0n, 1n))
      .map(([bound, more]) => bound + more)
    const last = fc.constantFrom(2n ** 32_767n - 1n, -(2n ** 32_767n))
    fc.assert(
      fc.property(fc.oneof(ofAnySize, nearBounds, last, fc.bigInt()), (value) => {
        for (const payload of [value, [value, 1], { a: { b: value } }]) {
          expect(sent(payload)).to.deep.equal({ arrived: payload })
        }
        const { bytes, payloadStart, end } = encoder.event('t', value)
        if (BigInt.asIntN(64, value) === value || BigInt.asUintN(64, value) === value) {
          expect(end - payloadStart).to.equal(9)
        } else {
          const content = payloadStart + ({ 199: 3, 200: 4, 216: 2 }[bytes[payloadStart] ?? 0] ?? Number.NaN)
          expect(bytes[content - 1]).to.equal(0x42)
          const length = BigInt(end - content)
          expect(BigInt.asIntN(Number(8n * length), value)).to.equal(value)
          expect(BigInt.asIntN(Number(8n * (length - 1n)), value)).not.to.equal(value)
        }
      }),
    )
  })

  it('may contain bigints inside a Map, a Set, the cause of an Error and a boxed bigint', () => {
    const large = 2n ** 200n
    const sentBoth = [new Map([['a', large]]), new Set([large]), new Error('no', { cause: { large } }), Object(large)]
    const arrived = [{ a: large }, [large], { name: 'Error', message: 'no', cause: { large } }, large]
    expect(sent(sentBoth)).to.deep.equal({ arrived })
  })

  it('with a bigint for a key of a Map arrives with its digits for a key', () => {
    const map = new Map([[2n ** 70n, 'a']]).set(-5n, 'b')
    expect(sent({ map })).to.deep.equal({ arrived: { map: { '1180591620717411303424': 'a', '-5': 'b' } } })
    expect(refusal(new Map([[2n ** 32_767n, 1]]))).to.contain('has a key that is a bigint of 4097 bytes')
  })

  it('is encoded as the result of its toJSON if its class has one', () => {
    expect(sent([new Price(() => ({ cents: 150 }))])).to.deep.equal({ arrived: [{ cents: 150 }] })
  })

  it('is rejected with the path to a flaw in the result of its toJSON', () => {
    expect(refusal([new Price(() => ({ cents: () => 150 }))])).to.contain(
      'sent: payload[0].toJSON().cents is a function',
    )
  })

  it('with a toJSON in a plain object arrives as its result or is rejected', () => {
    const outcome = sent([{ cents: 1, toJSON: () => ({ cents: 150 }) }])
    if ('arrived' in outcome) expect(outcome.arrived).to.deep.equal([{ cents: 150 }])
  })

  it('is rejected if the cause of an Error contains a function', () => {
    expect(refusal([new Error('no', { cause: { retry: () => {} } })])).to.contain('is a function')
  })

  it(`may be nested ${MAX_DEPTH} levels deep`, () => {
    const outcome = sent(nested(MAX_DEPTH))
    expect(JSON.stringify(outcome)).to.equal(JSON.stringify({ arrived: nested(MAX_DEPTH) }))
  })

  it(`is rejected if it is nested deeper than ${MAX_DEPTH} levels`, () => {
    expect(refusal(nested(MAX_DEPTH + 1))).to.match(/: payload[[\]0]+… is nested deeper than 512 levels$/)
    expect(refusal(nested(MAX_DEPTH + 1))).to.contain('is nested deeper than 512 levels')
    expect(refusal(nested(100_000))).to.contain('is nested deeper than 512 levels')
  })

  it('is rejected with the message of an error in a getter or toJSON', () => {
    const fail = throwing(new RangeError('no total'))
    const getter = Object.defineProperty({}, 'total', { get: fail, enumerable: true })
    for (const payload of [getter, new Price(fail)]) expect(refusal(payload)).to.contain('no total')
  })

  it('is rejected if a key of a Map cannot be the key of an object', () => {
    for (const key of [{}, [], Buffer.from('key'), new Date(0), new Map()]) {
      expect(refusal(new Map([[key, 1]])), String(key)).to.contain('; keys must be strings, numbers or booleans')
    }
  })

  it('with a typed array arrives as its bytes or is rejected', () => {
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
