import { expect } from 'chai'
import fc from 'fast-check'
import { pack } from 'msgpackr'
import { type Interest, keyOf } from '../../src/model/interest'
import { decodeMessage, encodeMessage } from '../../src/wire/codec'
import { isChannelMessage, KIND_CODES, type Message, toElements } from '../../src/wire/message'
import { bodyOf } from '../support/frame-bytes'
import { messages, payload } from '../support/message-arbitraries'
import { helloFields } from '../support/raw-peer'
import { violation } from '../support/violation'

const { kind: _, ...HELLO } = helloFields({ name: 'shop', id: '0000000000abc', groups: ['web'], frameLimit: 4096 })

/** Decodes a body. */
const decode = (body: Uint8Array) => decodeMessage(Buffer.from(body), 0, body.length)

/** Encodes a body with these elements and decodes it. */
const read = (elements: unknown) => decode(pack(elements))

/** Fields that no map of any message has. */
const unknownFields = fc.dictionary(
  fc.string().map((name) => `later ${name}`),
  payload,
  { noNullPrototype: true },
)

/** The elements of a message, with more fields in its maps, but not in its payload. */
function withFields(message: Message, fields: Readonly<Record<string, unknown>>): unknown[] {
  const [code, ...elements] = toElements(message)
  switch (message.kind) {
    case 'hello': {
      const { kind, ...hello } = message
      return [code, defined({ ...hello, ...fields })]
    }
    case 'failure':
      return [code, message.id, defined({ ...message.error, ...fields })]
    case 'subscribe':
    case 'unsubscribe':
      return [
        code,
        message.sequence,
        message.interests.map((interest) => interestWith(interest, fields)),
        ...elements.slice(2),
      ]
    default:
      return [code, ...elements]
  }
}

function interestWith({ from, ...interest }: Interest, fields: Readonly<Record<string, unknown>>): object {
  const isGroup = typeof from === 'object' && 'group' in from
  return defined({ ...interest, from: isGroup ? { ...fields, ...from } : from, ...fields })
}

function defined(fields: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}

/** Is the last known element left out? */
const lacksLast = (message: Message) =>
  !('headers' in message) &&
  ['payload', 'proof', 'isLast', 'isComplete'].some(
    (field) => field in message && Reflect.get(message, field) === undefined,
  )

/** The number of elements of each kind that may have headers, with them. */
const HEADED: Readonly<Partial<Record<Message['kind'], number>>> = {
  event: 4,
  assign: 6,
  return: 6,
  give: 8,
  request: 5,
}

/** The number of elements at the end of a message that are left out. */
function missingAtEnd(message: Message): number {
  const all = HEADED[message.kind]
  if (all !== undefined) return all - toElements(message).length
  const isBare = message.kind === 'progress' && !message.failed
  return (isBare ? 1 : 0) + (lacksLast(message) ? 1 : 0)
}

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
      assign: 10,
      settle: 11,
      return: 12,
      request: 13,
      response: 14,
      failure: 15,
      decline: 16,
      cancel: 17,
      credit: 18,
      proof: 19,
      give: 20,
      progress: 21,
      recall: 22,
      shape: 23,
    })
  })

  it('of a channel are distinguished from those of a link', () => {
    const queueKinds = ['assign', 'settle', 'return', 'give', 'progress', 'recall']
    const channelKinds = [...queueKinds, 'request', 'response', 'failure', 'decline', 'cancel']
    fc.assert(
      fc.property(fc.oneof(...Object.values(messages)), (message) => {
        expect(isChannelMessage(message), message.kind).to.equal(channelKinds.includes(message.kind))
      }),
    )
  })

  for (const [kind, arbitrary] of Object.entries(messages)) {
    it(`of kind ${kind} are the same after a round trip`, () => {
      fc.assert(
        fc.property(arbitrary, (message: Message) => {
          expect(decode(bodyOf(encodeMessage(message)))).to.deep.equal(message)
        }),
      )
    })

    it(`of kind ${kind} may have unknown elements`, () => {
      fc.assert(
        fc.property(arbitrary, fc.array(payload, { minLength: 1, maxLength: 3 }), (message, more) => {
          const known = toElements(message)
          // If a payload, headers, a proof or a flag are left out, an element in its place would be taken for it.
          const elements = [...known, ...Array.from({ length: missingAtEnd(message) }, () => undefined)]
          expect(read([...elements, ...more])).to.deep.equal(message)
        }),
      )
    })

    it(`of kind ${kind} may have unknown fields in every map`, () => {
      fc.assert(
        fc.property(arbitrary, unknownFields, (message, fields) => {
          expect(read(withFields(message, fields))).to.deep.equal(message)
        }),
      )
    })
  }

  it('take an element in the place of a payload as the payload', () => {
    const withPayload = [messages.event, messages.assign, messages.return, messages.request, messages.response]
    fc.assert(
      fc.property(fc.oneof(...withPayload).filter(lacksLast), payload, (message, payload) => {
        expect(read([...toElements(message), payload])).to.deep.equal({ ...message, payload })
      }),
    )
  })

  it('leave out undefined fields and payloads', () => {
    const interests = [
      { type: 'tick', from: undefined, queue: undefined, responds: false },
      { type: 'tick', from: ['shop'], responds: undefined },
    ]
    expect(toElements({ kind: 'subscribe', sequence: 1, interests })).to.deep.equal([
      2,
      1,
      [{ type: 'tick' }, { type: 'tick', from: ['shop'] }],
    ])
    const hello = { kind: 'hello', ...HELLO, accepts: undefined } as const
    expect(toElements(hello)).to.deep.equal([0, HELLO])
    const error = { name: 'Error', message: 'no', code: undefined, stack: undefined }
    expect(toElements({ kind: 'failure', id: 1, error })).to.deep.equal([15, 1, { name: 'Error', message: 'no' }])
    const assigned = { queue: 'q', type: 't', isFixed: false, payload: undefined }
    expect(toElements({ kind: 'assign', ...assigned })).to.deep.equal([10, 'q', 't', false])
    expect(toElements({ kind: 'return', ...assigned })).to.deep.equal([12, 'q', 't', false])
    expect(toElements({ kind: 'request', id: 1, type: 't', payload: undefined })).to.deep.equal([13, 1, 't'])
    expect(toElements({ kind: 'response', id: 1, payload: undefined })).to.deep.equal([14, 1])
  })

  it('distinguish an empty list and none', () => {
    expect(read([0, { ...HELLO, accepts: [] }])).to.have.deep.property('accepts', [])
    expect(read([2, 1, [{ type: 'tick', from: [] }]])).to.have.deep.nested.property('interests[0].from', [])
  })

  it('treat false for `responds` like no `responds`', () => {
    const [withFalse, without] = [{ type: 'tick', responds: false }, { type: 'tick' }].map((entry) => {
      const message = read([2, 1, [entry]])
      return message.kind === 'subscribe' ? message.interests.map(keyOf) : []
    })
    expect(withFalse).to.deep.equal(without).and.have.lengthOf(1)
  })

  it('may list more than two versions, of which the first two count', () => {
    expect(read([0, { ...HELLO, versions: [1, 3, 'later'] }])).to.have.deep.property('versions', [1, 3])
  })

  describe('are rejected as malformed', () => {
    const without = (field: string) => Object.fromEntries(Object.entries(HELLO).filter(([name]) => name !== field))

    const bodies: Readonly<Record<string, unknown>> = {
      'when the body is not an array': { 0: 7 },
      'when the body is a number': 7,
      'when the body is nil': null,
      'when the body is a string': 'ping',
      'when the body is binary': Buffer.from([7]),
      'when the body is empty': [],
      'when the kind is unknown': [18],
      'when the kind is negative': [-1],
      'when the kind is a fraction': [7.5],
      'when the kind is a string': ['7'],
      'when the kind is nil': [null],
      'when a hello has no fields': [0],
      'when a hello is an array': [0, []],
      'when a hello is nil': [0, null],
      ...Object.fromEntries(Object.keys(HELLO).map((field) => [`when a hello lacks ${field}`, [0, without(field)]])),
      'when versions are not an array': [0, { ...HELLO, versions: 1 }],
      'when there is only one version': [0, { ...HELLO, versions: [1] }],
      'when a version is not a number': [0, { ...HELLO, versions: [1, '1'] }],
      'when a name is not a string': [0, { ...HELLO, name: 1 }],
      'when a name is binary': [0, { ...HELLO, name: Buffer.from('shop') }],
      'when an id is not a string': [0, { ...HELLO, id: 1 }],
      'when groups are a string': [0, { ...HELLO, groups: 'web' }],
      'when a group is not a string': [0, { ...HELLO, groups: ['web', 1] }],
      'when accepted types are nil': [0, { ...HELLO, accepts: null }],
      'when accepted types are a string': [0, { ...HELLO, accepts: 'order.*' }],
      'when an accepted type is not a string': [0, { ...HELLO, accepts: ['order.*', 1] }],
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
      'when a subscribed type is not a string': [2, 1, [{ type: 1 }]],
      'when the second subscribed type is not a string': [2, 1, [{ type: 'tick' }, { type: null }]],
      'when `from` is nil': [2, 1, [{ type: 'tick', from: null }]],
      'when `from` is a string': [2, 1, [{ type: 'tick', from: 'shop' }]],
      'when a name in `from` is not a string': [2, 1, [{ type: 'tick', from: ['shop', 1] }]],
      'when a map in `from` has no group': [2, 1, [{ type: 'tick', from: {} }]],
      'when a group in `from` is not a string': [2, 1, [{ type: 'tick', from: { group: ['web'] } }]],
      'when a queue is nil': [2, 1, [{ type: 'tick', queue: null }]],
      'when a queue is not a string': [2, 1, [{ type: 'tick', queue: 1 }]],
      'when `responds` is nil': [2, 1, [{ type: 'tick', responds: null }]],
      'when `responds` is neither true nor false': [2, 1, [{ type: 'tick', responds: 1 }]],
      'when an unsubscribe has no list': [3, 1],
      'when an unsubscribe has a bad sequence': [3, 'x', []],
      'when an acknowledge has no sequence': [4],
      'when a sequence is NaN': [4, Number.NaN],
      'when a sequence exceeds the safe integers': [4, 2 ** 53],
      'when an event has no type': [5],
      'when the type of an event is not a string': [5, 1, 'payload'],
      'when the type of an event is nil': [5, null],
      'when the flag of an unsubscribe is a number': [3, 1, [], 1],
      'when the flag of an acknowledgement is nil': [4, 1, null],
      'when a gap has no count': [6],
      'when a gap has a negative count': [6, -1],
      'when a goodbye has no reason': [9],
      'when a goodbye has no text': [9, 'left'],
      'when a reason is not a string': [9, 1, ''],
      'when the proof of a goodbye is a string': [9, 'left', '', 'proof'],
      'when the proof of a goodbye is nil': [9, 'left', '', null],
      'when a proof is left out': [19],
      'when a proof is a string': [19, 'proof'],
      'when a proof is an array of numbers': [19, [1, 2, 3]],
      'when a nonce is a string': [0, { ...HELLO, nonce: 'nonce' }],
      'when a nonce is nil': [0, { ...HELLO, nonce: null }],
      ...Object.fromEntries(
        Object.entries({ assign: 10, return: 12 }).flatMap(([kind, code]) => [
          [`when kind ${kind} has no elements`, [code]],
          [`when kind ${kind} has no type`, [code, 'q']],
          [`when kind ${kind} has no fixed flag`, [code, 'q', 't']],
          [`when kind ${kind} has a number for its queue`, [code, 1, 't', false]],
          [`when kind ${kind} has nil for its type`, [code, 'q', null, false]],
          [`when kind ${kind} is fixed by a number`, [code, 'q', 't', 0, 'payload']],
        ]),
      ),
      'when a settle has no count': [11],
      'when a settle has a negative count': [11, -1],
      'when a settle has a fractional count': [11, 0.5],
      'when a request has no id': [13],
      'when a request has no type': [13, 1],
      'when the id of a request is a string': [13, '1', 't'],
      'when the id of a request is negative': [13, -1, 't'],
      'when the type of a request is not a string': [13, 1, 1],
      'when a response has no id': [14],
      'when the id of a response is a fraction': [14, 1.5, 'payload'],
      'when a failure has no id': [15],
      'when a failure has no fields': [15, 1],
      'when a failure is a string': [15, 1, 'no'],
      'when a failure has no name': [15, 1, { message: 'no' }],
      'when a failure has no message': [15, 1, { name: 'Error' }],
      'when the name of a failure is not a string': [15, 1, { name: 1, message: 'no' }],
      'when the message of a failure is nil': [15, 1, { name: 'Error', message: null }],
      'when the code of a failure is a number': [15, 1, { name: 'Error', message: 'no', code: 2 }],
      'when the stack of a failure is nil': [15, 1, { name: 'Error', message: 'no', stack: null }],
      'when a decline has no id': [16],
      'when the id of a decline exceeds the safe integers': [16, 2 ** 53],
      'when a cancel has no id': [17],
      'when the id of a cancel is nil': [17, null],
      'when a member is a string': [2, 1, [{ type: 't', queue: 'q', member: '1', capacity: 1 }]],
      'when a capacity is negative': [2, 1, [{ type: 't', queue: 'q', member: 1, capacity: -1 }]],
      'when a give has no member': [20],
      'when a give has no number': [20, 1],
      'when a give has no type': [20, 1, 1],
      'when a give has no fixed flag': [20, 1, 1, 't'],
      'when the number of a give is a fraction': [20, 1, 1.5, 't', false],
      'when the type of a give is a pattern': [20, 1, 1, 't.*', false],
      'when a give is fixed by a number': [20, 1, 1, 't', 0, 'payload'],
      'when a progress has no member': [21],
      'when a progress has no capacity': [21, 1],
      'when a progress has no watermark': [21, 1, 1],
      'when a progress says nothing of handled events': [21, 1, 1, 0],
      'when a progress says nothing of returned events': [21, 1, 1, 0, []],
      'when a capacity is not finite': [21, 1, Number.POSITIVE_INFINITY, 0, [], []],
      'when a recall has no member': [22],
      'when a recall has no number': [22, 1],
      'when a shape has no keys': [23],
      'when a key of a shape is a number': [23, ['id', 1]],
      'when a run has no length': [21, 1, 1, 0, [1], []],
      'when a run begins below zero': [21, 1, 1, 0, [], [-1, 1]],
    }

    for (const [when, body] of Object.entries(bodies)) {
      it(when, () => expect(violation(() => read(body))).to.equal('malformed'))
    }

    it('with the field, the expected type and the value in the error', () => {
      expect(() => read([4, 'x'])).to.throw("malformed: sequence: expected a whole number, got 'x'")
      expect(() => read([42])).to.throw('malformed: kind: expected 0 to 23, got 42')
      expect(() => read([0, { ...HELLO, groups: 'web' }])).to.throw(
        "malformed: hello.groups: expected an array, got 'web'",
      )
      expect(() => read([2, 1, [{ type: 'tick', from: {} }]])).to.throw(
        'malformed: interest[].from.group: expected a string, got undefined',
      )
      expect(() => read([10, 'q', 't', 1])).to.throw('malformed: fixed: expected true or false, got 1')
    })
  })
})
