import { inspect } from 'node:util'
import { expect } from 'chai'
import { asError } from '../../src/model/thrown'
import { throwing } from '../support/throwing'

const cause = new Error('cause')

describe('asError of a plain object', () => {
  it('has its name, message and code where they are strings, and the object as its cause', () => {
    const thrown = { name: 'HttpError', message: 'not found', code: 'E404', status: 404 }
    const error = asError(thrown)
    expect(error).to.include({ name: 'HttpError', message: 'not found', code: 'E404', cause: thrown })
    expect(asError({ name: 7, message: 'not found', code: {} })).to.include({ name: 'Error', message: 'not found' })
    expect(asError({ name: 'HttpError' }).message).to.equal("{ name: 'HttpError' }")
    const odd = Object.defineProperty({}, 'message', { get: throwing(new TypeError('no')) })
    expect(asError(odd).message).to.equal('{}')
  })
})

describe('asError', () => {
  it('returns an error as it is', () => expect(asError(cause)).to.equal(cause))

  it('makes an error with anything else as its cause', () => {
    for (const thrown of ['text', 7, undefined, null, { a: 1 }, Symbol('s')]) {
      const error = asError(thrown)
      expect(error).to.be.instanceOf(Error)
      expect(error.cause).to.equal(thrown)
      expect(error.message).to.equal(typeof thrown === 'object' ? inspect(thrown) : String(thrown))
    }
  })

  it('makes an error of a value that cannot be converted to a string', () => {
    for (const thrown of [Object.create(null), { toString: () => ({}) }]) {
      expect(asError(thrown)).to.be.instanceOf(Error).with.property('cause', thrown)
    }
  })

  it('makes an error of a value that throws when it is shown', () => {
    const { message } = asError({ [inspect.custom]: throwing('no') })
    expect(message).to.equal('a value that cannot be shown')
  })

  it('makes an error of what has a revoked proxy among its prototypes', () => {
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    for (const thrown of [Object.create(proxy), Object.setPrototypeOf(new Error('x'), proxy)]) {
      expect(asError(thrown)).to.be.instanceOf(Error).with.property('cause').that.equals(thrown)
    }
  })
})
