import { runInNewContext } from 'node:vm'
import { expect } from 'chai'
import { checkBoolean, checkOptions } from '../../src/model/call-options'
import { InvalidArgument } from '../../src/model/errors'

const NAMES = { boundary: true, queue: true, to: true, signal: true } as const

describe('checkOptions', () => {
  it('accepts undefined, and objects with known names', () => {
    for (const options of [undefined, {}, { to: 'x', queue: undefined }, { signal: new AbortController().signal }]) {
      checkOptions('call', options, NAMES)
    }
  })

  for (const [name, message] of [
    ['boundry', "call has no option 'boundry': did you mean 'boundary'?"],
    ['too', "call has no option 'too': did you mean 'to'?"],
    ['que', "call has no option 'que': did you mean 'queue'?"],
    ['bou', "call has no option 'bou': did you mean 'boundary'?"],
    ['colour', "call has no option 'colour': expected one of boundary, queue, to, signal"],
    ['toString', "call has no option 'toString': expected one of boundary, queue, to, signal"],
  ] as const) {
    it(`rejects ${name}, also without a value`, () => {
      for (const value of ['x', undefined]) {
        expect(() => checkOptions('call', { [name]: value }, NAMES)).to.throw(InvalidArgument, message)
      }
    })
  }

  for (const options of [null, 7, 'x', true]) {
    it(`rejects ${String(options)} in place of options`, () => {
      expect(() => checkOptions('call', options, NAMES)).to.throw(
        InvalidArgument,
        'options of call: expected an object',
      )
    })
  }

  const real = new AbortController().signal
  const like = { [Symbol.toStringTag]: 'AbortSignal', aborted: false, addEventListener() {}, removeEventListener() {} }
  for (const [what, signal] of Object.entries({
    'a controller': new AbortController(),
    null: null,
    'an object': {},
    'a string': 'SIGTERM',
    'an emitter': Object.assign(new EventTarget(), { aborted: false }),
    'an object whose listeners cannot be removed': { ...like, removeEventListener: undefined },
    'an object whose addEventListener is a number': { ...like, addEventListener: 5 },
    'an object that is aborted at 5': { ...like, aborted: 5 },
    'a revoked proxy': revoked(),
  })) {
    it(`rejects ${what} as signal`, () => {
      expect(() => checkOptions('call', { signal }, NAMES)).to.throw(InvalidArgument, 'signal: expected an AbortSignal')
    })
  }

  it('accepts an object that inherits from an AbortSignal in another realm', () => {
    const signal: unknown = runInNewContext('Object.create(signal)', { signal: AbortSignal.abort() })
    checkOptions('call', { signal }, NAMES)
  })

  it('accepts an AbortSignal of another realm or of another library', () => {
    for (const signal of [real, AbortSignal.abort(), AbortSignal.timeout(1), like]) {
      checkOptions('call', { signal }, NAMES)
    }
    const foreign: unknown = runInNewContext(
      '({ [Symbol.toStringTag]: "AbortSignal", aborted: false, addEventListener() {}, removeEventListener() {} })',
    )
    checkOptions('call', { signal: foreign }, NAMES)
  })
})

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}

describe('checkBoolean', () => {
  it('accepts true, false and undefined only', () => {
    for (const value of [true, false, undefined]) checkBoolean('internal', value)
    expect(() => checkBoolean('internal', 'false')).to.throw(
      InvalidArgument,
      "internal: expected true or false, got 'false'",
    )
  })
})
