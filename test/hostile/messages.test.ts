import { expect } from 'chai'
import { encodeMessage } from '../../src/wire/codec'
import type { Message } from '../../src/wire/message'
import { until } from '../support/bus'
import { elements, HELLO, hex } from './assailant'
import { siege } from './siege'

const { kind: _, ...FIELDS } = HELLO
const hello = (fields: object) => elements(0, { ...FIELDS, ...fields })
const of = (message: Message) => encodeMessage(message).bytes
const nested = (head: string, depth: number) => hex(`9305a178 ${head.repeat(depth)} 01`)

/** What is wrong with the shape of a hello, besides what is no name, no id, no version. */
const HELLOS: Readonly<Record<string, Buffer>> = {
  'no fields': elements(0),
  'nil for its fields': elements(0, null),
  'an array for its fields': elements(0, []),
  'bytes for its fields': elements(0, Buffer.from('name')),
  'a date for its fields': elements(0, new Date(0)),
  'nil for what is optional': hello({ accepts: null }),
  'a negative pid': hello({ pid: -1 }),
  'a pid that is no number': hello({ pid: Number.NaN }),
  'an infinite window': hello({ window: Number.POSITIVE_INFINITY }),
  'a window of zero': hello({ window: 0 }),
  'a window that is no whole number': hello({ window: 1.5 }),
  'a frame limit over 2^53': hello({ frameLimit: 2 ** 60 }),
  'a frame limit of 64 bits that is negative': hello({ frameLimit: -5000n }),
  'versions that are no numbers': hello({ versions: ['1', '1'] }),
  'one version': hello({ versions: [1] }),
  'groups that are no array': hello({ groups: { length: 1, 0: 'web' } }),
  'a group with a line end': hello({ groups: ['web\n'] }),
  'a name with a path in it': hello({ name: '../../etc' }),
  'its name in bytes': hello({ name: Buffer.from('assailant') }),
  'its fields under __proto__': elements(0, JSON.parse(`{"__proto__":${JSON.stringify(FIELDS)}}`)),
  'its fields under constructor': elements(0, { constructor: { prototype: FIELDS } }),
  'patterns that are none': hello({ accepts: ['a..b'] }),
  'a pattern over 255 bytes': hello({ accepts: ['x'.repeat(256)] }),
}

/** What is wrong with the shape of a message on a link that is up. */
const SHAPES: Readonly<Record<string, Buffer>> = {
  'a number for a message': hex('05'),
  'a map for a message': hex('81 00 05'),
  'an empty array': hex('90'),
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
  'the same in a str 8': hex(`9305 d9 ff ${'78'.repeat(255)}01`.replace('d9 ff', 'da 0100 78')),
  'an event of a type with a space': hex('9305 a3 612062 01'),
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
  'a record in a payload': hex('9305a178 d47240 91a161 01'),
  'a record for a message': hex('d47240 91a161 05'),
  'an Error in a payload': hex('9305a178 91 d46500 93a54572726f72a26e6fc0'),
  'a RegExp in the payload of a request': hex('940d01a178 d47800 92a161a0'),
  'a Set for an interest': hex('930201 d47300 90'),
  'a typed array': hex('9305a178 c7027401 05'),
  'a bigint of 90 KB': hex(`9305a178 c9 00016000 42 ${'7f'.repeat(0x16000)}`),
  'bundled strings': hex('9305a178 d662 00000004 a0a0 01'),
  'an extension that nobody knows': hex('9305a178 c70105 00'),
  'the byte that msgpack never uses': hex('9305a178 c1'),
  'the same, deep inside': hex('9305a178 81a161 92 01 81a162 c1'),
  'the same, for a message': hex('c1'),
  'bytes behind a payload': hex('9305a178 01 01'),
  'bytes behind a ping': hex('9107 00'),
  'a payload that is cut off': hex('9305a178 82a161 01'),
  'arrays inside each other': nested('91', 100_000),
  'arrays 32 inside each other': nested('dd00000001', 100_000),
  'maps inside each other': nested('81a161', 100_000),
  'sets inside each other': nested('d47300', 100_000),
  'errors inside each other': nested('d46500', 100_000),
  'an array of 4 G': hex('9305a178 ddffffffff'),
  'arrays of 64 K inside each other': hex(`9305a178 ${'dcffff'.repeat(50_000)}`),
  'a map of 4 G': hex('9305a178 dfffffffff'),
  'a string of 4 G': hex('9305a178 dbffffffff'),
  'bytes of 4 G': hex('9305a178 c6ffffffff'),
  'an extension of 4 G': hex('9305a178 c9ffffffff05'),
  'an interest of 4 G': hex('930201 ddffffffff'),
  'an array for a key': hex('9305a178 81 9101 01'),
  'bytes for a key': hex('9305a178 81 c40101 01'),
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
  const { begin, assail, checkOthers, errors, notices } = siege()

  for (const [what, bytes] of Object.entries(HELLOS)) {
    it(`whose hello has ${what} is sent away as malformed, and nobody else notices`, async () => {
      const { host, witness } = await begin()
      const assailant = assail(host)
      assailant.send(bytes)
      await assailant.closed()
      expect(assailant.goodbye).to.equal('malformed')
      expect(errors.map((error) => Reflect.get(error, 'reason'))).to.deep.equal(['malformed'])
      await checkOthers(host, witness)
    })
  }

  for (const message of [...INTRODUCING, { kind: 'subscribe', sequence: 1, interests: [] } as const]) {
    it(`that says ${message.kind} before its hello is sent away`, async () => {
      const { host, witness } = await begin()
      const assailant = assail(host)
      assailant.say(message)
      await assailant.closed()
      expect(assailant.goodbye).to.equal('unexpected-message')
      await checkOthers(host, witness)
    })
  }

  for (const message of [...INTRODUCING, HELLO]) {
    it(`that says ${message.kind} before it is ready is sent away`, async () => {
      const { host, witness } = await begin()
      const assailant = assail(host)
      assailant.say(HELLO, message)
      await assailant.closed()
      expect(assailant.goodbye).to.equal('unexpected-message')
      expect(notices.filter((notice) => notice.startsWith('the witness'))).to.deep.equal([])
      await checkOthers(host, witness)
    })
  }

  it('on a link that is up is lost as malformed for each of these, and nobody else notices', async () => {
    const { host, witness } = await begin()
    for (const type of ['x', 'a.>']) host.subscribe(type, () => expect.fail('expected no event'))
    host.respond('x', () => expect.fail('expected no request'))
    for (const [what, bytes] of Object.entries(SHAPES)) {
      const assailant = await assail(host).introduce(host)
      assailant.send(bytes)
      await assailant.closed()
      await until(() => notices.length > 0)
      expect(assailant.goodbye, what).to.equal('malformed')
      expect(errors.splice(0).map((error) => Reflect.get(error, 'reason'))).to.deep.equal(['malformed'])
      expect(notices.splice(0)).to.deep.equal(['lost assailant: malformed'])
    }
    await checkOthers(host, witness)
  })

  it('may use the names of prototypes for keys: they are keys like others', async () => {
    const { host, witness } = await begin()
    const received: unknown[] = []
    host.subscribe('x', ({ payload }) => received.push(payload))
    const keys = JSON.parse(
      '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"toString":1,"then":2}',
    )
    const assailant = await assail(host).introduce(host)
    assailant.send(elements(2, 1, [{ ...JSON.parse('{"__proto__":{"polluted":1}}'), type: 'y', constructor: 1 }]))
    assailant.send(elements(5, 'x', keys))
    assailant.send(elements(13, 1, 'nobody.responds', keys))
    await until(() => received.length === 1 && assailant.heard.some(({ kind }) => kind === 'decline'))
    const [payload] = received
    expect(Object.keys(Object(payload)).sort()).to.deep.equal(['__proto_', 'constructor', 'then', 'toString'])
    expect(Object.getPrototypeOf(payload)).to.equal(Object.prototype)
    expect(await host.broadcast('y', 1)).to.equal(1)
    await checkOthers(host, witness)
  })

  it('that acknowledges, answers, settles and credits what never was changes nothing', async () => {
    const { host, witness } = await begin()
    const assailant = await assail(host).introduce(host)
    const huge = Number.MAX_SAFE_INTEGER
    assailant.say(
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
    await until(() => assailant.heard.at(-1)?.kind === 'pong')
    expect(errors).to.deep.equal([])
    expect(host.isConnectedTo('assailant')).to.equal(true)
    await checkOthers(host, witness)
  })

  it('whose payloads are nested deeper than we would send can be given back nothing of that, and harms nobody', async () => {
    const { host, witness } = await begin()
    const assailant = await assail(host).introduce(host)
    const deep = `${'91'.repeat(1000)}01`
    assailant.send(hex(`950aa171 a178 c2 ${deep}`))
    assailant.send(hex(`9305a178 ${deep}`))
    assailant.say({ kind: 'ping' })
    await until(() => assailant.heard.some(({ kind }) => kind === 'pong') && errors.length > 0)
    expect(errors.map(({ code }) => code)).to.deep.equal(['LAHJA_UNSERIALIZABLE_PAYLOAD'])
    await checkOthers(host, witness)
  })

  it('that says goodbye with a reason of any kind is lost, by that name', async () => {
    const { host, witness } = await begin()
    const assailant = await assail(host).introduce(host)
    assailant.say({ kind: 'goodbye', reason: '__proto__', text: 'x'.repeat(500_000) })
    await until(() => notices.length > 0)
    expect(notices).to.deep.equal(['lost assailant: __proto__'])
    await checkOthers(host, witness)
  })

  it('is not let in by its hello, whatever that is, if it says more before it is ready', async () => {
    const { host, witness } = await begin()
    const assailant = assail(host)
    assailant.send(Buffer.concat([of(HELLO), of({ kind: 'ready' }), of({ kind: 'ready' })]))
    await assailant.closed()
    expect(assailant.goodbye).to.equal('unexpected-message')
    await checkOthers(host, witness)
  })
})
