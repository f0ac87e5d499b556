import { expect } from 'chai'
import fc from 'fast-check'
import { pack } from 'msgpackr'
import { decodeMessage, encodeMessage } from '../src/codec'
import { KIND_CODES, type Message, toElements } from '../src/message'
import { bodyOf } from './frame-bytes'
import { messages, payload } from './message-arbitraries'
import { violation } from './violation'

const HELLO = {
  versions: [1, 1],
  name: 'shop',
  id: '0000000000abc',
  groups: ['web'],
  pid: 1,
  frameLimit: 4096,
}

/** What the bytes of a body say. */
const decode = (body: Uint8Array) => decodeMessage(Buffer.from(body), 0, body.length)

/** The message that a body of these elements stands for, read from its bytes. */
const read = (elements: unknown) => decode(pack(elements))

describe('messages', () => {
  it('have kind numbers that never change', () => {
    expect(KIND_CODES).to.deep.equal({
      hello: 0,
      ready: 1,
      subscribe: 2,
      unsubscribe: 3,
      acknowledge: 4,
      event: 5,
      gap: 6,
      ping: 7,
      pong: 8,
      goodbye: 9,
    })
  })

  for (const [kind, arbitrary] of Object.entries(messages)) {
    it(`of kind ${kind} arrive as they were sent`, () => {
      fc.assert(
        fc.property(arbitrary, (message: Message) => {
          expect(decode(bodyOf(encodeMessage(message)))).to.deep.equal(message)
        }),
      )
    })

    it(`of kind ${kind} may have elements that this version does not know`, () => {
      fc.assert(
        fc.property(arbitrary, fc.array(payload, { minLength: 1, maxLength: 3 }), (message, more) => {
          const known = toElements(message)
          // Where an event has no payload, the element after its type would be one.
          const elements = message.kind === 'event' && known.length === 2 ? [...known, undefined] : known
          expect(read([...elements, ...more])).to.deep.equal(message)
        }),
      )
    })
  }

  it('may have fields that this version does not know', () => {
    const more = fc.dictionary(
      fc.string().filter((key) => !['type', '__proto__', ...Object.keys(HELLO)].includes(key)),
      payload,
      { noNullPrototype: true },
    )
    fc.assert(
      fc.property(more, (fields) => {
        expect(read([0, { ...fields, ...HELLO }])).to.deep.equal({ kind: 'hello', ...HELLO })
        expect(read([2, 1, [{ ...fields, type: 'tick' }]])).to.deep.equal({
          kind: 'subscribe',
          sequence: 1,
          types: ['tick'],
        })
      }),
    )
  })

  it('may tell more than two versions: the first two count', () => {
    expect(read([0, { ...HELLO, versions: [1, 3, 'later'] }])).to.have.deep.property('versions', [1, 3])
  })

  describe('are refused as malformed', () => {
    const without = (field: string) => Object.fromEntries(Object.entries(HELLO).filter(([name]) => name !== field))

    const bodies: Readonly<Record<string, unknown>> = {
      'when the body is no array': { 0: 7 },
      'when the body is a number': 7,
      'when the body is nil': null,
      'when the body is a string': 'ping',
      'when the body is binary': Buffer.from([7]),
      'when the body is empty': [],
      'when the kind is unknown': [10],
      'when the kind is negative': [-1],
      'when the kind is a fraction': [7.5],
      'when the kind is a string': ['7'],
      'when the kind is nil': [null],
      'when a hello says nothing': [0],
      'when a hello is an array': [0, []],
      'when a hello is nil': [0, null],
      ...Object.fromEntries(Object.keys(HELLO).map((field) => [`when a hello lacks ${field}`, [0, without(field)]])),
      'when versions are no array': [0, { ...HELLO, versions: 1 }],
      'when there is one version only': [0, { ...HELLO, versions: [1] }],
      'when a version is no number': [0, { ...HELLO, versions: [1, '1'] }],
      'when a name is no string': [0, { ...HELLO, name: 1 }],
      'when a name is binary': [0, { ...HELLO, name: Buffer.from('shop') }],
      'when an id is no string': [0, { ...HELLO, id: 1 }],
      'when groups are a string': [0, { ...HELLO, groups: 'web' }],
      'when a group is no string': [0, { ...HELLO, groups: ['web', 1] }],
      'when a pid is negative': [0, { ...HELLO, pid: -1 }],
      'when a frame limit is a fraction': [0, { ...HELLO, frameLimit: 4096.5 }],
      'when a frame limit is infinite': [0, { ...HELLO, frameLimit: Number.POSITIVE_INFINITY }],
      'when a subscribe has no sequence': [2],
      'when a subscribe has no list': [2, 1],
      'when a subscribe lists a map': [2, 1, { type: 'tick' }],
      'when a subscribe lists plain strings': [2, 1, ['tick']],
      'when a subscribe lists an array': [2, 1, [['tick']]],
      'when a subscribe lists nil': [2, 1, [null]],
      'when a subscribed type is missing': [2, 1, [{}]],
      'when a subscribed type is no string': [2, 1, [{ type: 1 }]],
      'when the second subscribed type is no string': [2, 1, [{ type: 'tick' }, { type: null }]],
      'when an unsubscribe has no list': [3, 1],
      'when an unsubscribe has a bad sequence': [3, 'x', []],
      'when an acknowledge has no sequence': [4],
      'when a sequence is NaN': [4, Number.NaN],
      'when a sequence is over what a double counts': [4, 2 ** 53],
      'when an event has no type': [5],
      'when the type of an event is no string': [5, 1, 'payload'],
      'when the type of an event is nil': [5, null],
      'when a gap has no count': [6],
      'when a gap counts less than nothing': [6, -1],
      'when a goodbye has no reason': [9],
      'when a goodbye has no text': [9, 'left'],
      'when a reason is no string': [9, 1, ''],
    }

    for (const [when, body] of Object.entries(bodies)) {
      it(when, () => expect(violation(() => read(body))).to.equal('malformed'))
    }

    it('with what was expected and what came', () => {
      expect(() => read([4, 'x'])).to.throw("malformed: sequence: expected a whole number, got 'x'")
      expect(() => read([42])).to.throw('malformed: kind: expected 0 to 9, got 42')
      expect(() => read([0, { ...HELLO, groups: 'web' }])).to.throw(
        "malformed: hello.groups: expected an array, got 'web'",
      )
    })
  })
})
