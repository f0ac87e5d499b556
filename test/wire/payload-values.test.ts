import { createContext, runInContext, runInThisContext } from 'node:vm'
import { expect } from 'chai'
import { PayloadTooLarge, UnserializablePayload } from '../../src/model/errors'
import { encodeMessage } from '../../src/wire/codec'
import { EventEncoder } from '../../src/wire/event-encoder'
import { readEvent } from '../support/read-event'
import { throwing } from '../support/throwing'

const LIMIT = 1024 * 1024
const encoder = new EventEncoder(LIMIT)

/** What arrives for a payload. */
const sent = (payload: unknown) => readEvent(encoder.event('t', payload)).payload

/** The message of the error for a payload, without what all have in common. */
function refusal(payload: unknown): string {
  try {
    encoder.event('t', payload)
  } catch (error) {
    expect(error).to.be.instanceOf(UnserializablePayload)
    return error instanceof Error ? error.message.replace("the payload can't be sent: ", '') : ''
  }
  return expect.fail('the payload was not refused')
}

function detached(): Uint8Array {
  const bytes = new Uint8Array([1, 2])
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] })
  return bytes
}

describe('a payload of a subclass', () => {
  it('arrives as what its base class does: Map, Set, Array, Date, Error and bytes', () => {
    const subclasses = [
      new (class Registry extends Map<string, number> {})([['a', 1]]),
      new (class Tags extends Set<number> {})([1, 2]),
      Object.assign(new (class Lines extends Array<string> {})(), { 0: 'x' }),
      new (class Day extends Date {})(0),
      new (class Chunk extends Uint8Array {})([1, 2]),
    ]
    expect(sent(subclasses)).to.deep.equal([{ a: 1 }, [1, 2], ['x'], new Date(0), Buffer.from([1, 2])])
    expect(sent(new (class Chunk extends Uint8Array {})([1, 2]))).to.deep.equal(Buffer.from([1, 2]))
  })

  it('arrives with its true entries, even if it overrides how many there are', () => {
    class Liar extends Map<string, number> {
      override get size(): number {
        return 7
      }
    }
    expect(sent([new Liar([['a', 1]]), 'next'])).to.deep.equal([{ a: 1 }, 'next'])
  })

  it('arrives as the result of its toJSON if it has one', () => {
    class Registry extends Map<string, number> {
      toJSON() {
        return [...this.keys()]
      }
    }
    expect(sent({ registry: new Registry([['a', 1]]) })).to.deep.equal({ registry: ['a'] })
  })
})

describe('a boxed primitive in a payload', () => {
  it('arrives as the primitive', () => {
    const boxed = [Object(1), Object('text'), Object(false), Object(5n)]
    expect(sent(boxed)).to.deep.equal([1, 'text', false, 5n])
    for (const box of boxed) expect(sent(box)).to.equal(box.valueOf())
  })

  it('that is a symbol is refused', () => {
    expect(refusal([Object(Symbol('s'))])).to.equal('payload[0] is Symbol(s)')
  })
})

describe('an error in a payload', () => {
  it('arrives as its name, message, code and cause, and those of its causes', () => {
    const cause = Object.assign(new RangeError('deep'), { code: 7 })
    const error = Object.assign(new TypeError('no', { cause }), { code: 'E_NO' })
    expect(sent({ error })).to.deep.equal({
      error: {
        name: 'TypeError',
        message: 'no',
        code: 'E_NO',
        cause: { name: 'RangeError', message: 'deep', code: 7 },
      },
    })
    expect(sent(new Error('top'))).to.deep.equal({ name: 'Error', message: 'top' })
  })

  it('is not refused for properties that do not travel', () => {
    const error = Object.assign(new Error('no'), { request: { retry: () => {} }, code: () => {} })
    Object.assign(error, { self: error })
    expect(sent([error])).to.deep.equal([{ name: 'Error', message: 'no' }])
  })

  it('arrives even if its message is no text, or cannot be read', () => {
    const odd = Object.defineProperty(new Error(), 'message', { value: Symbol('odd') })
    const closed = Object.defineProperty(new Error(), 'message', {
      get: () => {
        throw new Error('closed')
      },
    })
    expect(sent([odd, closed])).to.deep.equal([
      { name: 'Error', message: 'Symbol(odd)' },
      { name: 'Error', message: '' },
    ])
  })

  it('is refused with the path if it is its own cause, or its cause cannot be sent', () => {
    const error = new Error('round')
    error.cause = error
    expect(refusal({ error })).to.equal('payload.error.cause contains itself')
    expect(refusal(new Error('no', { cause: [() => {}] }))).to.equal('payload.cause[0] is a function')
  })
})

describe('a value without a form on the wire', () => {
  function* counting() {
    yield 1
  }
  async function* later() {
    yield 1
  }
  const { proxy: revoked, revoke } = Proxy.revocable({}, {})
  revoke()
  class Thenable {
    // biome-ignore lint/suspicious/noThenProperty: this is what promises of other libraries look like
    then() {}
  }
  const values: Readonly<Record<string, [value: unknown, reason: RegExp]>> = {
    'a promise': [Promise.resolve(1), /is a promise; await it/],
    'a promise of a library': [new Thenable(), /is a promise; await it/],
    'a WeakMap': [new WeakMap(), /is an instance of WeakMap/],
    'a WeakSet': [new WeakSet(), /is an instance of WeakSet/],
    'a WeakRef': [new WeakRef({}), /is an instance of WeakRef/],
    'a generator': [counting(), /./],
    'an async generator': [later(), /./],
    'an iterator of an array': [[1].values(), /./],
    'an iterator of a Map': [new Map().entries(), /./],
    'an iterator of a Set': [new Set().values(), /./],
    'an iterator of a string': ['text'[Symbol.iterator](), /./],
    'a SharedArrayBuffer': [new SharedArrayBuffer(2), /is an instance of SharedArrayBuffer/],
    'a revoked proxy': [revoked, /revoked/],
    'a proxy of a Map': [new Proxy(new Map([['a', 1]]), {}), /is a proxy/],
    URLSearchParams: [new URLSearchParams('a=1'), /is an instance of URLSearchParams/],
    'an AbortSignal': [new AbortController().signal, /is an instance of AbortSignal/],
    'detached bytes': [detached(), /is detached/],
    'a detached ArrayBuffer': [detached().buffer, /is detached/],
    'a disposable resource': [
      new (class Handle {
        name = 'a';
        [Symbol.dispose]() {}
      })(),
      /is an instance of Handle/,
    ],
  }

  for (const [what, [value, reason]] of Object.entries(values)) {
    it(`is refused with its path: ${what}`, () => {
      expect(refusal({ list: [1, value] }))
        .to.match(/^payload\.list\[1\](?: |: )/)
        .and.match(reason)
      expect(refusal(value))
        .to.match(/^payload(?: |: )/)
        .and.match(reason)
      expect(() => encodeMessage({ kind: 'response', id: 1, payload: { list: [1, value] } })).to.throw(
        UnserializablePayload,
        "the payload can't be sent: payload.list[1]",
      )
      expect(sent({ a: 1 })).to.deep.equal({ a: 1 })
    })
  }

  it('is refused with its path if its getter throws, whatever it throws', () => {
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    for (const [thrown, message] of [
      [new RangeError('no'), 'no'],
      [proxy, '<Revoked Proxy>'],
    ]) {
      const getter = Object.defineProperty({}, 'x', { enumerable: true, get: throwing(thrown) })
      expect(refusal([getter])).to.equal(`payload[0].x: ${message}`)
    }
  })
})

describe('a payload of another realm', () => {
  const far = createContext({})
  const evaluate = (expression: string): unknown => runInContext(`(${expression})`, far)

  const expressions = [
    '{ a: { b: [1] } }',
    '[1, { a: 2 }]',
    "new Map([['a', 1]])",
    'new Set([1, 2])',
    "Object.assign(new TypeError('no', { cause: new Error('why') }), { code: 'E' })",
    'new Uint8Array([1, 2])',
    'new Uint8Array([1, 2]).buffer',
    'new Date(5)',
    'new Date(NaN)',
    '/a+/g',
    'Object(7)',
    'new (class { a = 1 })()',
    "({ toJSON() { return 'json' } })",
  ]
  for (const expression of expressions) {
    it(`arrives as one of its own: ${expression}`, () => {
      const near: unknown = runInThisContext(`(${expression})`)
      for (const wrap of [(value: unknown) => value, (value: unknown) => [{ value }]]) {
        expect(sent(wrap(evaluate(expression)))).to.deep.equal(sent(wrap(near)))
      }
      expect(sent(evaluate(`[${expression}]`))).to.deep.equal(sent([near]))
    })
  }

  for (const expression of ['Promise.resolve(1)', 'new WeakMap()', 'new Float64Array(2)', '[1].values()', '() => 1']) {
    it(`is refused like one of its own: ${expression}`, () => {
      expect(refusal([evaluate(expression)])).to.match(/^payload\[0\] is /)
    })
  }
})

describe('a payload with toJSON', () => {
  it('arrives as itself if that returns this, or if it is no function', () => {
    class Self {
      a = 1
      toJSON() {
        return this
      }
    }
    expect(sent([new Self()])).to.deep.equal([{ a: 1 }])
    expect(sent({ toJSON: 'data', a: 1 })).to.deep.equal({ toJSON: 'data', a: 1 })
    expect(sent({ toJSON: null })).to.deep.equal({ toJSON: null })
    const own = {
      a: 1,
      toJSON() {
        return this
      },
    }
    expect(sent({ own })).to.deep.equal({ own: { a: 1 } })
  })

  it('is asked once, so that it cannot answer differently the second time', () => {
    let calls = 0
    const moody = {
      toJSON: () => (++calls === 1 ? { fine: true } : { callback: () => {} }),
    }
    expect(sent({ moody })).to.deep.equal({ moody: { fine: true } })
    expect(calls).to.equal(1)
  })
})

describe('a payload whose getters answer differently each time', () => {
  /** An object whose key `a` has these values in turn, the last one again and again. */
  const answering = (...answers: (() => unknown)[]) => {
    let calls = 0
    return Object.defineProperty({}, 'a', {
      enumerable: true,
      get: () => answers[Math.min(calls++, answers.length - 1)]?.(),
    })
  }
  const deep = () => JSON.parse('['.repeat(600) + ']'.repeat(600))
  const answers: Readonly<Record<string, () => unknown>> = {
    number: () => 1,
    function: () => () => {},
    promise: () => Promise.resolve(),
    map: () => new Map([[1, 1]]),
    'long text': () => 'x'.repeat(1000),
    'deep nesting': deep,
    'an odd date': () => new Date(NaN),
  }

  for (const [first, answer] of Object.entries(answers)) {
    it(`arrives whole or is refused, and so does the next one: first ${first}`, () => {
      const places = [(value: unknown) => value, (value: unknown) => [value, new Map([['m', 1]]), 'x'.repeat(600)]]
      for (const otherAnswer of Object.values(answers)) {
        for (const place of places) {
          const payload = place(answering(answer, otherAnswer))
          try {
            sent(payload)
          } catch (error) {
            expect(error).to.be.instanceOf(UnserializablePayload)
          }
          expect(sent({ next: 1 })).to.deep.equal({ next: 1 })
        }
      }
    })
  }
})

describe('a payload that grows while it is packed', () => {
  const row = Array.from({ length: 1000 }, () => 'a value')
  const shared = Array.from({ length: 1000 }, () => row)
  const sparse: unknown[] = []
  sparse.length = 2 ** 31
  const payloads: Readonly<Record<string, unknown>> = {
    'a sparse array': sparse,
    'a sparse array in an object': { sparse },
    'a sparse array beside a Map': [new Map(), sparse],
    'references that are shared': shared,
    'references to references that are shared': [shared, new Set(shared), Array.from({ length: 1000 }, () => shared)],
    'a Set that is shared': Array.from({ length: 200_000 }, () => new Set(row)),
    'text that is shared': Array.from({ length: 1000 }, () => 'x'.repeat(100_000)),
  }

  for (const [what, payload] of Object.entries(payloads)) {
    it(`is refused as too large soon after it is: ${what}`, () => {
      const before = process.memoryUsage.rss()
      const start = process.cpuUsage()
      expect(() => encoder.event('t', payload)).to.throw(PayloadTooLarge, `limits.frameBytes is ${LIMIT}`)
      const message = { kind: 'response', id: 1, payload } as const
      expect(() => encodeMessage(message, LIMIT)).to.throw(PayloadTooLarge, `limits.frameBytes is ${LIMIT}`)
      const { user, system } = process.cpuUsage(start)
      expect((user + system) / 1000, 'milliseconds').to.be.below(1500)
      expect((process.memoryUsage.rss() - before) / 1024 / 1024, 'MiB').to.be.below(100)
    })
  }
})
