import { expect } from 'chai'
import type { Message } from '../../src/wire/message'
import { until } from '../support/bus'
import { encoded, hexFrame } from '../support/frame-bytes'
import { helloFields, packedFrame } from '../support/raw-peer'
import { attackedHost } from './attacked-host'

const HELLO = helloFields()
const { kind: _, ...FIELDS } = HELLO
/** A frame around an array of these values. */
const elements = (...values: unknown[]) => packedFrame(values)
const hello = (fields: object) => elements(0, { ...FIELDS, ...fields })
const of = (message: Message) => encoded(message)
const nested = (head: string, depth: number) => hexFrame(`9305a178 ${head.repeat(depth)} 01`)

/** Malformed hellos, by what is wrong with them. */
const HELLOS: Readonly<Record<string, Buffer>> = {
  'no fields': elements(0),
  'nil for its fields': elements(0, null),
  'an array for its fields': elements(0, []),
  'a bin value for its fields': elements(0, Buffer.from('name')),
  'a date for its fields': elements(0, new Date(0)),
  'nil for an optional field': hello({ accepts: null }),
  'a negative pid': hello({ pid: -1 }),
  'NaN as pid': hello({ pid: Number.NaN }),
  'an infinite window': hello({ window: Number.POSITIVE_INFINITY }),
  'a window of zero': hello({ window: 0 }),
  'a fractional window': hello({ window: 1.5 }),
  'a frame limit over 2^53': hello({ frameLimit: 2 ** 60 }),
  'a negative 64-bit frame limit': hello({ frameLimit: -5000n }),
  'versions as strings': hello({ versions: ['1', '1'] }),
  'one version': hello({ versions: [1] }),
  'an object as groups': hello({ groups: { length: 1, 0: 'web' } }),
  'a group with a newline': hello({ groups: ['web\n'] }),
  'a path as name': hello({ name: '../../etc' }),
  'a bin value as name': hello({ name: Buffer.from('raw') }),
  'its fields under __proto__': elements(0, JSON.parse(`{"__proto__":${JSON.stringify(FIELDS)}}`)),
  'its fields under constructor': elements(0, { constructor: { prototype: FIELDS } }),
  'an invalid pattern': hello({ accepts: ['a..b'] }),
  'a pattern over 255 bytes': hello({ accepts: ['x'.repeat(256)] }),
}

/** Malformed messages on a link that is up, by what is wrong with them. */
const SHAPES: Readonly<Record<string, Buffer>> = {
  'a number for a message': hexFrame('05'),
  'a map for a message': hexFrame('81 00 05'),
  'an empty array': hexFrame('90'),
  'a kind that is a string': elements('5', 'x', 1),
  'a kind that is negative': elements(-1),
  'a kind with a fraction': elements(5.5, 'x', 1),
  'a kind that is no number': elements(Number.NaN),
  'a kind of 64 bits that does not exist': elements(2n ** 63n),
  'the kind __proto__': elements('__proto__', {}),
  'an event of a type in bytes': elements(5, Buffer.from('x'), 1),
  'an event of no type': elements(5),
  'an event of an empty type': elements(5, '', 1),
  'an event of a pattern': elements(5, 'a.*', 1),
  'an event of a type over 255 bytes': elements(5, 'x'.repeat(256), 1),
  'the same in a str 8': hexFrame(`9305 d9 ff ${'78'.repeat(255)}01`.replace('d9 ff', 'da 0100 78')),
  'an event of a type with a space': hexFrame('9305 a3 612062 01'),
  'an assignment with a type over 255 bytes': elements(10, 'q', 'x'.repeat(256), false, 1),
  'an assignment to a queue that has no name': elements(10, '', 'x', false, 1),
  'an assignment to a path': elements(10, '../q', 'x', false, 1),
  'an assignment whose flag is a number': elements(10, 'q', 'x', 0, 1),
  'a request of a pattern': elements(13, 1, '>', 1),
  'a request with a negative id': elements(13, -1, 'x', 1),
  'a return of no type': elements(12, 'q', '', false),
  'a gap of -1': elements(6, -1),
  'a gap of NaN': elements(6, Number.NaN),
  'a gap of half an event': elements(6, 0.5),
  'a gap of 2^53': elements(6, 2 ** 53),
  'credit of less than nothing': elements(18, -1, 1),
  'credit for infinitely many': elements(18, 1, Number.POSITIVE_INFINITY),
  'credit without events': elements(18, 1),
  'a settle of 2^64 - 1': elements(11, 2n ** 64n - 1n),
  'a sequence with a fraction': elements(2, 0.5, []),
  'a sequence that is a string': elements(4, '1'),
  'an interest that is a map': elements(2, 1, { type: 'x' }),
  'an entry that is an array': elements(2, 1, [['x']]),
  'an entry that is a date': elements(2, 1, [new Date(0)]),
  'an entry of 200 KB of bytes': elements(2, 1, [Buffer.alloc(200_000)]),
  'an entry without type': elements(2, 1, [{ queue: 'q' }]),
  'an entry with its type under __proto__': elements(2, 1, [JSON.parse('{"__proto__":{"type":"x"}}')]),
  'an entry of a type over 255 bytes': elements(2, 1, [{ type: 'a.'.repeat(128).concat('a') }]),
  'an entry of a pattern that is none': elements(2, 1, [{ type: '>.a' }]),
  'an entry that responds, somehow': elements(2, 1, [{ type: 'x', responds: 1 }]),
  'an entry from numbers': elements(2, 1, [{ type: 'x', from: [1] }]),
  'an entry from a group that is none': elements(2, 1, [{ type: 'x', from: { group: 1 } }]),
  'an entry from nil': elements(2, 1, [{ type: 'x', from: null }]),
  'a failure without message': elements(15, 1, { name: 'Error' }),
  'a failure of bytes': elements(15, 1, Buffer.alloc(100)),
  'a goodbye without reason': elements(9),
  'a goodbye with a number for its reason': elements(9, 1, 'x'),
  'a record of msgpackr in a payload': hexFrame('9305a178 d47240 91a161 01'),
  'a record of msgpackr for a message': hexFrame('d47240 91a161 05'),
  'an Error in a payload': hexFrame('9305a178 91 d46500 93a54572726f72a26e6fc0'),
  'a RegExp in the payload of a request': hexFrame('940d01a178 d47800 92a161a0'),
  'a Set for an interest': hexFrame('930201 d47300 90'),
  'a typed array': hexFrame('9305a178 c7027401 05'),
  'a bigint of 90 KB': hexFrame(`9305a178 c9 00016000 42 ${'7f'.repeat(0x16000)}`),
  'a bigint that fits into 64 bits': hexFrame('9305a178 c70942 00 ffffffffffffffff'),
  'a bigint with a byte too many, deep inside': hexFrame('9305a178 81a161 91 c70a42 ff 800000000000000000'),
  'a bigint for a count': hexFrame('9206 c70942 01 0000000000000000'),
  'a bigint for a kind': hexFrame('91 c70942 01 0000000000000000'),
  'bundled strings': hexFrame('9305a178 d662 00000004 a0a0 01'),
  'an extension that nobody knows': hexFrame('9305a178 c70105 00'),
  'a record of a shape that was not told': hexFrame('9305a178 c1'),
  'the same, deep inside': hexFrame('9305a178 81a161 92 01 81a162 c1'),
  'the same, for a message': hexFrame('c1'),
  'bytes behind a payload': hexFrame('9305a178 01 01'),
  'bytes behind a ping': hexFrame('9107 00'),
  'a payload that is cut off': hexFrame('9305a178 82a161 01'),
  'arrays inside each other': nested('91', 100_000),
  'arrays 32 inside each other': nested('dd00000001', 100_000),
  'maps inside each other': nested('81a161', 100_000),
  'sets inside each other': nested('d47300', 100_000),
  'errors inside each other': nested('d46500', 100_000),
  'an array of 4 G': hexFrame('9305a178 ddffffffff'),
  'arrays of 64 K inside each other': hexFrame(`9305a178 ${'dcffff'.repeat(50_000)}`),
  'a map of 4 G': hexFrame('9305a178 dfffffffff'),
  'a string of 4 G': hexFrame('9305a178 dbffffffff'),
  'bytes of 4 G': hexFrame('9305a178 c6ffffffff'),
  'an extension of 4 G': hexFrame('9305a178 c9ffffffff05'),
  'an interest of 4 G': hexFrame('930201 ddffffffff'),
  'an array for a key': hexFrame('9305a178 81 9101 01'),
  'bytes for a key': hexFrame('9305a178 81 c40101 01'),
}

const INTRODUCING: readonly Message[] = [
  { kind: 'event', type: 'x', payload: 1 },
  { kind: 'assign', queue: 'q', type: 'x', isFixed: false, payload: 1 },
  { kind: 'unsubscribe', sequence: 1, interests: [] },
  { kind: 'gap', count: 1 },
  { kind: 'ping' },
  { kind: 'pong' },
  { kind: 'credit', bytes: 1, events: 1 },
  { kind: 'settle', count: 1 },
  { kind: 'return', queue: 'q', type: 'x', isFixed: false, payload: 1 },
  { kind: 'request', id: 1, type: 'x', payload: 1 },
  { kind: 'response', id: 1, payload: 1 },
  { kind: 'failure', id: 1, error: { name: 'Error', message: '' } },
  { kind: 'decline', id: 1 },
  { kind: 'cancel', id: 1 },
]

describe('a hostile peer', () => {
  const { begin, dial, checkOthers, errors, notices } = attackedHost()

  for (const [what, bytes] of Object.entries(HELLOS)) {
    it(`whose hello has ${what} is refused as malformed without affecting others`, async () => {
      const { host, witness } = await begin()
      const peer = dial(host)
      peer.sayBytes(bytes)
      await peer.closed()
      expect(peer.goodbye).to.equal('malformed')
      expect(errors.map((error) => Reflect.get(error, 'reason'))).to.deep.equal(['malformed'])
      await checkOthers(host, witness)
    })
  }

  for (const message of [...INTRODUCING, { kind: 'subscribe', sequence: 1, interests: [] } as const]) {
    it(`that sends ${message.kind} before its hello is refused`, async () => {
      const { host, witness } = await begin()
      const peer = dial(host)
      peer.say(message)
      await peer.closed()
      expect(peer.goodbye).to.equal('unexpected-message')
      await checkOthers(host, witness)
    })
  }

  for (const message of [...INTRODUCING, HELLO]) {
    it(`that sends ${message.kind} before ready is refused`, async () => {
      const { host, witness } = await begin()
      const peer = dial(host)
      peer.say(HELLO, message)
      await peer.closed()
      expect(peer.goodbye).to.equal('unexpected-message')
      expect(notices.filter((notice) => notice.startsWith('the witness'))).to.deep.equal([])
      await checkOthers(host, witness)
    })
  }

  it('is lost as malformed for each invalid message, without affecting others', async () => {
    const { host, witness } = await begin()
    for (const type of ['x', 'a.>']) host.subscribe(type, () => expect.fail('expected no event'))
    host.respond('x', () => expect.fail('expected no request'))
    for (const [what, bytes] of Object.entries(SHAPES)) {
      const peer = await dial(host).introduce(host)
      peer.sayBytes(bytes)
      await peer.closed()
      await until(() => notices.length > 0)
      expect(peer.goodbye, what).to.equal('malformed')
      expect(notices.splice(0)).to.deep.equal(['lost raw: malformed'])
    }
    // One report a second says how many it has left out.
    const reported = () => {
      return errors.reduce((sum, { message }) => sum + 1 + Number(/and (\d+) more like it/.exec(message)?.[1] ?? 0), 0)
    }
    await until(() => reported() === Object.keys(SHAPES).length)
    expect(new Set(errors.map((error) => Reflect.get(error, 'reason')))).to.deep.equal(new Set(['malformed']))
    await checkOthers(host, witness)
  })

  it('can use prototype names as keys without polluting prototypes', async () => {
    const { host, witness } = await begin()
    const received: unknown[] = []
    host.subscribe('x', ({ payload }) => received.push(payload))
    const keys = JSON.parse(
      '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"toString":1,"then":2}',
    )
    const peer = await dial(host).introduce(host)
    peer.sayBytes(elements(2, 1, [{ ...JSON.parse('{"__proto__":{"polluted":1}}'), type: 'y', constructor: 1 }]))
    peer.sayBytes(elements(5, 'x', keys))
    peer.sayBytes(elements(13, 1, 'nobody.responds', keys))
    await until(() => received.length === 1 && peer.heard.some(({ kind }) => kind === 'decline'))
    const [payload] = received
    expect(Object.keys(Object(payload)).sort()).to.deep.equal(['__proto_', 'constructor', 'then', 'toString'])
    expect(Object.getPrototypeOf(payload)).to.equal(Object.prototype)
    expect(await host.broadcast('y', 1)).to.equal(1)
    await checkOthers(host, witness)
  })

  it('changes nothing by acknowledging, answering, settling or crediting unknown ids', async () => {
    const { host, witness } = await begin()
    const peer = await dial(host).introduce(host)
    const huge = Number.MAX_SAFE_INTEGER
    peer.say(
      { kind: 'acknowledge', sequence: huge },
      { kind: 'response', id: huge, payload: 1 },
      { kind: 'failure', id: huge, error: { name: 'Error', message: '' } },
      { kind: 'decline', id: huge },
      { kind: 'cancel', id: huge },
      { kind: 'credit', bytes: huge, events: huge },
      { kind: 'settle', count: huge },
      { kind: 'gap', count: huge },
      { kind: 'unsubscribe', sequence: huge, interests: [{ type: 'never' }, { type: 'never', queue: 'q' }] },
      { kind: 'ping' },
    )
    await until(() => peer.heard.at(-1)?.kind === 'pong')
    expect(errors).to.deep.equal([])
    expect(host.isConnectedTo('raw')).to.equal(true)
    await checkOthers(host, witness)
  })

  it('is refused if its payload is nested deeper than one may be, without affecting others', async () => {
    const { host, witness } = await begin()
    const deep = `${'91'.repeat(1000)}01`
    for (const frame of [`950aa171 a178 c2 ${deep}`, `9305a178 ${deep}`]) {
      const peer = await dial(host).introduce(host)
      peer.sayBytes(hexFrame(frame))
      await peer.closed()
      expect(peer.goodbye).to.equal('malformed')
    }
    await checkOthers(host, witness)
  })

  it('is lost with the reason of its goodbye, even an unknown one', async () => {
    const { host, witness } = await begin()
    const peer = await dial(host).introduce(host)
    peer.say({ kind: 'goodbye', reason: '__proto__', text: 'x'.repeat(500_000) })
    await until(() => notices.length > 0)
    expect(notices).to.deep.equal(['lost raw: __proto__'])
    await checkOthers(host, witness)
  })

  it('is refused if it sends ready twice in one write with its hello', async () => {
    const { host, witness } = await begin()
    const peer = dial(host)
    peer.sayBytes(Buffer.concat([of(HELLO), of({ kind: 'ready' }), of({ kind: 'ready' })]))
    await peer.closed()
    expect(peer.goodbye).to.equal('unexpected-message')
    await checkOthers(host, witness)
  })
})
