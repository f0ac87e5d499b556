import { expect } from 'chai'
import fc from 'fast-check'
import { unpack } from 'msgpackr'
import { Packr } from 'msgpackr/index-no-eval'
import { PayloadTooLarge, UnserializablePayload } from '../../src/model/errors'
import { decodeMessage, encodeMessage } from '../../src/wire/codec'
import type { Frame } from '../../src/wire/frame'
import type { Message } from '../../src/wire/message'
import { MAX_DEPTH } from '../../src/wire/packed-value'
import { bodyOf, bytesOf } from '../support/frame-bytes'
import { messages } from '../support/message-arbitraries'
import { throwing } from '../support/throwing'

/** A message of each kind with a payload, except events, which have their own encoder. */
const kindsWithPayload: Readonly<Record<string, (payload: unknown) => Message>> = {
  assign: (payload) => ({ kind: 'assign', queue: 'q', type: 't', isFixed: false, payload }),
  return: (payload) => ({ kind: 'return', queue: 'q', type: 't', isFixed: false, payload }),
  request: (payload) => ({ kind: 'request', id: 1, type: 't', payload }),
  response: (payload) => ({ kind: 'response', id: 1, payload }),
}

const ring: unknown[] = []
ring.push(ring)

/** Payloads that can't be encoded, and the beginning of the reason. */
const flaws: readonly [payload: unknown, flaw: string][] = [
  [() => {}, 'payload is'],
  [{ a: [1, () => {}] }, 'payload.a[1] is'],
  [{ a: Symbol('s') }, 'payload.a is'],
  [[2n ** 40_000n], 'payload[0] is'],
  [ring, 'payload[0] contains itself'],
  [{ a: new Float64Array(1) }, 'payload.a is'],
  [new Map([[{}, 1]]), 'payload has a key that is'],
]

function nested(levels: number): unknown {
  let payload: unknown = 1
  for (let level = 0; level < levels; level++) payload = level % 2 === 0 ? [payload] : { a: payload }
  return payload
}

describe('encodeMessage', () => {
  it('does not overwrite the results of other code with the same build of msgpackr', () => {
    const others = new Packr()
    const change = (type: string) => ({ kind: 'subscribe', sequence: 1, interests: [{ type }] }) as const
    const payload = Buffer.alloc(1000, 1)
    encodeMessage(change('before'))
    expect(
      unpack(
        others.pack([
          new (class Order {
            id = 1
          })(),
          new Map([['a', 1]]),
        ]),
      ),
    ).to.deep.equal([{ id: 1 }, { a: 1 }])
    const kept = others.pack(payload)
    // Until the shared buffer is full, and longer.
    for (let turn = 0; turn < 5000; turn++) encodeMessage(change(`${turn}`.padStart(200, 'x')))
    expect(unpack(kept)).to.deep.equal(payload)
    const more = Array.from({ length: 500 }, (_, index) => {
      encodeMessage(change('between'))
      return others.pack(Buffer.alloc(1000, index))
    })
    for (const [index, bytes] of more.entries()) expect(unpack(bytes)).to.deep.equal(Buffer.alloc(1000, index))
  })

  const anyMessage = fc.oneof(...Object.values<fc.Arbitrary<Message>>(messages))

  it('accepts a body of exactly the limit and rejects one byte more, for every message', () => {
    fc.assert(
      fc.property(anyMessage, (message) => {
        const { length } = bodyOf(encodeMessage(message))
        expect(bodyOf(encodeMessage(message, length))).to.have.lengthOf(length)
        expect(() => encodeMessage(message, length - 1))
          .to.throw(
            PayloadTooLarge,
            `${'type' in message ? `${message.kind} ${message.type}` : message.kind}: takes ${length} bytes encoded, but limits.frameBytes is ${length - 1}`,
          )
          .with.property('code', 'LAHJA_PAYLOAD_TOO_LARGE')
      }),
    )
  })

  for (const [kind, messageWith] of Object.entries(kindsWithPayload)) {
    it(`rejects a payload of kind ${kind} that cannot be encoded, with the path`, () => {
      for (const [flawed, flaw] of flaws) {
        expect(() => encodeMessage(messageWith(flawed)))
          .to.throw(UnserializablePayload, `the payload can't be sent: ${flaw}`)
          .with.property('code', 'LAHJA_UNSERIALIZABLE_PAYLOAD')
      }
    })

    it(`rejects a payload of kind ${kind} whose getter throws, with the cause`, () => {
      const cause = new Error('not now')
      const payload = Object.defineProperty({}, 'late', { get: throwing(cause), enumerable: true })
      expect(() => encodeMessage(messageWith(payload)))
        .to.throw(UnserializablePayload, 'not now')
        .with.property('cause', cause)
    })

    it(`encodes a payload of kind ${kind} of the maximum depth`, () => {
      const payload = nested(MAX_DEPTH)
      const body = bodyOf(encodeMessage(messageWith(payload)))
      const message = decodeMessage(body, 0, body.length)
      expect(JSON.stringify(message)).to.equal(JSON.stringify(messageWith(payload)))
      expect(() => encodeMessage(messageWith(nested(MAX_DEPTH + 1)))).to.throw(UnserializablePayload, 'nested deeper')
    })
  }

  it('works as before after an error', () => {
    const before = bytesOf(encodeMessage({ kind: 'response', id: 1, payload: ['fine'] }))
    for (const [flawed] of flaws) {
      expect(() => encodeMessage({ kind: 'response', id: 1, payload: flawed })).to.throw(UnserializablePayload)
    }
    expect(() => encodeMessage({ kind: 'response', id: 1, payload: 'x'.repeat(500_000) }, 5000)).to.throw(
      PayloadTooLarge,
    )
    expect(bytesOf(encodeMessage({ kind: 'response', id: 1, payload: ['fine'] })).equals(before)).to.equal(true)
  })

  it('encodes what the getters of a payload send meanwhile, and the message itself', () => {
    const frames: [frame: Frame, id: number][] = []
    const request = (id: number, payload: unknown) =>
      frames.push([encodeMessage({ kind: 'request', id, type: 't', payload }), id])
    for (let round = 0; round < 50; round++) {
      request(2 * round, {
        before: 'x'.repeat(round * 50),
        get sent() {
          return request(2 * round + 1, 'y'.repeat(round * 70))
        },
      })
    }
    for (const [{ bytes, start, end }, id] of frames) {
      expect(decodeMessage(bytes, start + 4, end)).to.include({ kind: 'request', id })
    }
    expect(frames).to.have.length(100)
  })

  it('never changes the bytes of earlier frames', () => {
    fc.assert(
      fc.property(fc.array(anyMessage, { minLength: 2, maxLength: 30 }), (messages) => {
        const frames = messages.map((message) => encodeMessage(message))
        const read = frames.map((frame) => decodeMessage(frame.bytes, frame.start + 4, frame.end))
        expect(read).to.deep.equal(messages)
      }),
    )
  })
})
