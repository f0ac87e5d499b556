import { expect } from 'chai'
import fc from 'fast-check'
import { PayloadTooLarge, UnserializablePayload } from '../../src/model/errors'
import { decodeMessage, encodeMessage } from '../../src/wire/codec'
import type { Message } from '../../src/wire/message'
import { MAX_DEPTH } from '../../src/wire/payload-check'
import { bodyOf, bytesOf } from '../support/frame-bytes'
import { messages } from '../support/message-arbitraries'

/** A message of each kind with a payload but events, which have an encoder of their own. */
const kindsWithPayload: Readonly<Record<string, (payload: unknown) => Message>> = {
  assign: (payload) => ({ kind: 'assign', queue: 'q', type: 't', isFixed: false, payload }),
  return: (payload) => ({ kind: 'return', queue: 'q', type: 't', isFixed: false, payload }),
  request: (payload) => ({ kind: 'request', id: 1, type: 't', payload }),
  response: (payload) => ({ kind: 'response', id: 1, payload }),
}

const ring: unknown[] = []
ring.push(ring)

/** Payloads that have no form on the wire, and what is said of them. */
const flaws: readonly [payload: unknown, flaw: string][] = [
  [() => {}, 'payload is'],
  [{ a: [1, () => {}] }, 'payload.a[1] is'],
  [{ a: Symbol('s') }, 'payload.a is'],
  [[2n ** 64n], 'payload[0] is'],
  [ring, 'payload[0] is an object that holds itself'],
  [{ a: new Float64Array(1) }, 'payload.a is'],
  [new Map([[{}, 1]]), 'payload.get('],
]

function nested(levels: number): unknown {
  let payload: unknown = 1
  for (let level = 0; level < levels; level++) payload = level % 2 === 0 ? [payload] : { a: payload }
  return payload
}

describe('encodeMessage', () => {
  const anyMessage = fc.oneof(...Object.values<fc.Arbitrary<Message>>(messages))

  it('takes a body of exactly the limit, and refuses one byte more, whatever the message', () => {
    fc.assert(
      fc.property(anyMessage, (message) => {
        const { length } = bodyOf(encodeMessage(message))
        expect(bodyOf(encodeMessage(message, length))).to.have.lengthOf(length)
        expect(() => encodeMessage(message, length - 1))
          .to.throw(PayloadTooLarge, `${message.kind}: expected a frame of at most ${length - 1} bytes, got ${length}`)
          .with.property('code', 'LAHJA_PAYLOAD_TOO_LARGE')
      }),
    )
  })

  for (const [kind, messageWith] of Object.entries(kindsWithPayload)) {
    it(`refuses a payload of kind ${kind} that would not arrive as it is, and says where`, () => {
      for (const [flawed, flaw] of flaws) {
        expect(() => encodeMessage(messageWith(flawed)))
          .to.throw(UnserializablePayload, `expected a payload that msgpack can carry, but ${flaw}`)
          .with.property('code', 'LAHJA_UNSERIALIZABLE_PAYLOAD')
      }
    })

    it(`refuses a payload of kind ${kind} whose getter throws, with what it has thrown`, () => {
      const cause = new Error('not now')
      const payload = {
        get late() {
          throw cause
        },
      }
      expect(() => encodeMessage(messageWith(payload)))
        .to.throw(UnserializablePayload, 'not now')
        .with.property('cause', cause)
    })

    it(`carries a payload of kind ${kind} as deep as one may be`, () => {
      const payload = nested(MAX_DEPTH)
      const body = bodyOf(encodeMessage(messageWith(payload)))
      const message = decodeMessage(body, 0, body.length)
      expect(JSON.stringify(message)).to.equal(JSON.stringify(messageWith(payload)))
      expect(() => encodeMessage(messageWith(nested(MAX_DEPTH + 1)))).to.throw(UnserializablePayload, 'nested deeper')
    })
  }

  it('goes on as before after it has refused', () => {
    const before = bytesOf(encodeMessage({ kind: 'response', id: 1, payload: ['fine'] }))
    for (const [flawed] of flaws) {
      expect(() => encodeMessage({ kind: 'response', id: 1, payload: flawed })).to.throw(UnserializablePayload)
    }
    expect(() => encodeMessage({ kind: 'response', id: 1, payload: 'x'.repeat(500_000) }, 5000)).to.throw(
      PayloadTooLarge,
    )
    expect(bytesOf(encodeMessage({ kind: 'response', id: 1, payload: ['fine'] })).equals(before)).to.equal(true)
  })

  it('leaves the bytes of a frame as they are when later ones are encoded', () => {
    fc.assert(
      fc.property(fc.array(anyMessage, { minLength: 2, maxLength: 30 }), (messages) => {
        const frames = messages.map((message) => encodeMessage(message))
        const read = frames.map((frame) => decodeMessage(frame.bytes, frame.start + 4, frame.end))
        expect(read).to.deep.equal(messages)
      }),
    )
  })
})
