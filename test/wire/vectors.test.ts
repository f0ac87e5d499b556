import { expect } from 'chai'
import { unpack } from 'msgpackr'
import { NO_HEADERS } from '../../src/model/headers'
import { decodeMessage, encodeMessage } from '../../src/wire/codec'
import { EventDecoder } from '../../src/wire/event-decoder'
import { EventEncoder, type EventFrame } from '../../src/wire/event-encoder'
import { type Frame, FrameReader } from '../../src/wire/frame'
import { fromElements, KIND_CODES, type Message, type MessageOf, type RefusalReason } from '../../src/wire/message'
import { packHeaders } from '../../src/wire/packer'
import { bytesOf } from '../support/frame-bytes'
import { evaluate, messageVectors, payloadVectors } from '../support/vectors'

const encoder = new EventEncoder(1024 * 1024)

/** The message of a frame, read as a link reads it: events in place, all others with decodeMessage. */
function read(hex: string): Message {
  const messages: Message[] = []
  const reader = new FrameReader(1024 * 1024, (bytes, start, end) => {
    const decoder = new EventDecoder()
    const isEvent = decoder.readPreamble(bytes, start, end)
    const event = () => ({ kind: 'event', type: decoder.type, payload: decoder.payload(bytes, end) }) as const
    messages.push(isEvent ? event() : decodeMessage(bytes, start, end))
  })
  reader.push(Buffer.from(hex, 'hex'))
  expect(reader.heldBytes, 'bytes behind the frame').to.equal(0)
  expect(messages, 'messages').to.have.lengthOf(1)
  return messages[0] ?? expect.fail('no message')
}

/** The frame of a message, encoded as an endpoint does: an assignment is copied from its event. */
function write(message: Message): string {
  return bytesOf(frameOf(message)).toString('hex')
}

function eventFrame({ type, payload, headers = NO_HEADERS }: MessageOf<'event' | 'assign'>): EventFrame {
  return encoder.event(type, payload, packHeaders(headers))
}

function frameOf(message: Message): Frame {
  if (message.kind === 'event') return eventFrame(message)
  if (message.kind === 'assign') return encoder.assignment(eventFrame(message), message)
  return encodeMessage(message)
}

/** A message as JSON: without undefined fields, with bytes in hexadecimal digits. */
function jsonOf(message: Message): unknown {
  const inDigits = Object.entries(message).map(([field, value]) => {
    return [field, value instanceof Uint8Array && field !== 'payload' ? Buffer.from(value).toString('hex') : value]
  })
  return JSON.parse(JSON.stringify(Object.fromEntries(inDigits)))
}

describe('the test vectors', () => {
  describe('of messages', () => {
    for (const vector of messageVectors) {
      it(`decode to their message: ${vector.name}`, () => {
        expect(jsonOf(read(vector.hex))).to.deep.equal(vector.message)
        const body = Buffer.from(vector.hex, 'hex').subarray(4)
        expect(jsonOf(decodeMessage(body, 0, body.length))).to.deep.equal(vector.message)
        expect(jsonOf(fromElements(unpack(body))), 'by any msgpack library').to.deep.equal(vector.message)
      })

      if (vector.readOnly) {
        it(`have a shorter encoding: ${vector.name}`, () => expect(write(read(vector.hex))).not.to.equal(vector.hex))
      } else {
        it(`are what their message encodes to: ${vector.name}`, () => {
          const message = read(vector.hex)
          expect(write(message)).to.equal(vector.hex)
          expect(bytesOf(encodeMessage(message)).toString('hex'), 'as a message like any other').to.equal(vector.hex)
        })
      }
    }

    it('include every kind', () => {
      expect(new Set(messageVectors.map(({ message }) => message.kind))).to.deep.equal(new Set(Object.keys(KIND_CODES)))
    })

    it('include every reason of a refusal, and leaving', () => {
      const reasons: Record<'left' | RefusalReason, true> = {
        left: true,
        'name-in-use': true,
        'name-claimed': true,
        'name-conceded': true,
        duplicate: true,
        closing: true,
      }
      const included = messageVectors
        .map(({ hex }) => read(hex))
        .flatMap((message) => (message.kind === 'goodbye' ? message.reason : []))
      expect(included).to.include.members(Object.keys(reasons))
    })
  })

  describe('of payloads', () => {
    for (const { name, sent, hex, arrives } of payloadVectors) {
      it(`decode to their payload: ${name}`, () => {
        const message = read(hex)
        expect(message).to.deep.equal({ kind: 'event', type: 't', payload: evaluate(arrives) })
        if (message.kind === 'event' && message.payload instanceof Uint8Array) {
          expect(message.payload).to.be.instanceOf(Buffer)
        }
        const [, , payload] = unpack(Buffer.from(hex, 'hex').subarray(4))
        expect(payload, 'by any msgpack library').to.deep.equal(evaluate(arrives))
      })

      if (sent !== undefined) {
        it(`are what their payload encodes to: ${name}`, () => {
          expect(bytesOf(encoder.event('t', evaluate(sent))).toString('hex')).to.equal(hex)
        })
      }
    }
  })

  it('have unique names', () => {
    for (const vectors of [messageVectors, payloadVectors]) {
      const names = vectors.map(({ name }) => name)
      expect(names).to.deep.equal([...new Set(names)])
    }
  })
})
