import { expect } from 'chai'
import * as lahja from '../../src'
import { LahjaError } from '../../src'
import { describe as describeValue } from '../../src/model/errors'

const cause = new Error('cause')

/** The codes are part of the interface: a change breaks the programs that look at them. */
const CODES: Readonly<Record<string, string>> = {
  InvalidArgument: 'LAHJA_INVALID_ARGUMENT',
  DirectoryRefused: 'LAHJA_DIRECTORY_REFUSED',
  PathTooLong: 'LAHJA_PATH_TOO_LONG',
  NameInUse: 'LAHJA_NAME_IN_USE',
  EndpointClosed: 'LAHJA_ENDPOINT_CLOSED',
  CloseTimeout: 'LAHJA_CLOSE_TIMEOUT',
  NoSubscribers: 'LAHJA_NO_SUBSCRIBERS',
  InvalidPayload: 'LAHJA_INVALID_PAYLOAD',
  BoundaryCrossed: 'LAHJA_BOUNDARY_CROSSED',
  AlreadyResponding: 'LAHJA_ALREADY_RESPONDING',
  RemoteError: 'LAHJA_REMOTE_ERROR',
  RequestTimeout: 'LAHJA_REQUEST_TIMEOUT',
  RemoteDisconnected: 'LAHJA_REMOTE_DISCONNECTED',
  UnexpectedResponse: 'LAHJA_UNEXPECTED_RESPONSE',
  UnserializablePayload: 'LAHJA_UNSERIALIZABLE_PAYLOAD',
  PayloadTooLarge: 'LAHJA_PAYLOAD_TOO_LARGE',
  WaitTimeout: 'LAHJA_WAIT_TIMEOUT',
  AbortError: 'LAHJA_ABORTED',
  HandlerError: 'LAHJA_HANDLER_ERROR',
  ConnectionFailed: 'LAHJA_CONNECTION_FAILED',
  LinkRefused: 'LAHJA_LINK_REFUSED',
  Unauthenticated: 'LAHJA_UNAUTHENTICATED',
  OutboxOverflow: 'LAHJA_OUTBOX_OVERFLOW',
  ProtocolViolation: 'LAHJA_PROTOCOL_VIOLATION',
}

/** One of each class that takes more than a message and a cause. */
const special: Readonly<Record<string, LahjaError>> = {
  CloseTimeout: new lahja.CloseTimeout('message', new Map([['till', 3]]), new Map([['order.placed', 2]])),
  InvalidPayload: new lahja.InvalidPayload('message', [{ message: 'too short', path: ['id'] }], { cause }),
  RemoteError: new lahja.RemoteError('message', 'till', { name: 'TypeError', message: 'no such order', code: 'E_1' }),
  LinkRefused: new lahja.LinkRefused('duplicate', 'message'),
  ProtocolViolation: new lahja.ProtocolViolation('malformed', 'message', { cause }),
}

/** One of each class. */
const errors: Readonly<Record<string, LahjaError>> = Object.fromEntries(
  Object.keys(CODES).map((name) => {
    return [name, special[name] ?? Reflect.construct(Reflect.get(lahja, name), ['message', { cause }])]
  }),
)

/** Those that are made without a cause. */
const WITHOUT_CAUSE = ['CloseTimeout', 'LinkRefused', 'RemoteError']

const isErrorClass = (value: unknown) => typeof value === 'function' && value.prototype instanceof Error

describe('error classes', () => {
  it('are all tested here', () => {
    const exported = Object.entries(lahja).flatMap(([name, value]) => (isErrorClass(value) ? name : []))
    expect(exported.sort()).to.deep.equal([...Object.keys(errors), 'LahjaError', 'LinkError'].sort())
  })

  for (const [name, error] of Object.entries(errors)) {
    it(`include ${name}, a LahjaError with its own name and code`, () => {
      expect(error).to.be.instanceOf(LahjaError).and.instanceOf(Error)
      expect(error.name).to.equal(name)
      expect(error.code).to.equal(CODES[name])
      expect(error.message).to.contain('message')
      expect(error.stack).to.contain(name)
      if (!WITHOUT_CAUSE.includes(name)) expect(error.cause).to.equal(cause)
    })
  }

  it('have different codes', () => {
    const codes = Object.values(errors).map(({ code }) => code)
    expect(codes).to.deep.equal([...new Set(codes)])
  })

  it('have the reason of a refusal or violation as a property and in the message', () => {
    expect(errors.LinkRefused).to.include({ reason: 'duplicate', message: 'duplicate: message' })
    expect(errors.ProtocolViolation).to.include({ reason: 'malformed', message: 'malformed: message' })
  })

  it('have the issues of a schema', () => {
    expect(errors.InvalidPayload).to.have.deep.property('issues', [{ message: 'too short', path: ['id'] }])
  })

  it('have the origin of a remote error and what it threw, also in the message', () => {
    expect(errors.RemoteError).to.include({ origin: 'till', message: 'message: TypeError: no such order' })
    expect(errors.RemoteError).to.have.deep.property('remote', {
      name: 'TypeError',
      message: 'no such order',
      code: 'E_1',
    })
  })

  it('have the number of undelivered events by peer after a close timeout', () => {
    expect(errors.CloseTimeout).to.have.deep.property('undelivered', new Map([['till', 3]]))
    expect(errors.CloseTimeout).to.have.deep.property('unhandled', new Map([['order.placed', 2]]))
  })
})

describe('describe', () => {
  const cases: [value: unknown, description: string][] = [
    ['text', "'text'"],
    ['', "''"],
    ['x'.repeat(80), `'${'x'.repeat(80)}'`],
    ['x'.repeat(81), `'${'x'.repeat(80)}…'`],
    [7, '7'],
    [Number.NaN, 'NaN'],
    [true, 'true'],
    [undefined, 'undefined'],
    [null, 'null'],
    [7n, '7n'],
    [-(2n ** 255n), `${-(2n ** 255n)}n`],
    [2n ** 255n, 'a bigint of 33 bytes'],
    [-(2n ** 263n), 'a bigint of 33 bytes'],
    [-(2n ** 263n) - 1n, 'a bigint of 34 bytes'],
    [2n ** 1_000_000n, 'a bigint of 125001 bytes'],
    [Symbol('s'), 'Symbol(s)'],
    [() => {}, 'a function'],
    [function handler() {}, 'a function (handler)'],
    [[], 'an array of 0'],
    [[1, 2, 3], 'an array of 3'],
    [{ a: 1 }, 'an object'],
    [Object.create(null), 'an object'],
    [new Map(), 'an instance of Map'],
    [Buffer.alloc(1), 'an instance of Buffer'],
    [new (class Order {})(), 'an instance of Order'],
    [new Error('no'), 'an instance of Error'],
  ]

  for (const [value, description] of cases) {
    it(`describes a value as ${description}`, () => expect(describeValue(value)).to.equal(description))
  }
})
