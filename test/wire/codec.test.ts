import { expect } from 'chai'
import fc from 'fast-check'
import { Packr, unpack } from 'msgpackr'
import { ProtocolViolation } from '../../src/model/errors'
import { decodeMessage, encodeMessage } from '../../src/wire/codec'
import { EventDecoder } from '../../src/wire/event-decoder'
import { EventEncoder } from '../../src/wire/event-encoder'
import { FrameReader } from '../../src/wire/frame'
import type { Message } from '../../src/wire/message'
import { bodyOf, bytesOf, frameAround } from '../support/frame-bytes'
import { type as eventType, messages, payload } from '../support/message-arbitraries'
import { readEvent } from '../support/read-event'
import { violation } from '../support/violation'

const MEBIBYTE = 1024 * 1024

/** The result of a call, or the reason of the violation that it throws. Any other error fails the test. */
function outcome(call: () => unknown): unknown {
  try {
    return call()
  } catch (error) {
    if (error instanceof ProtocolViolation) return error.reason
    throw error
  }
}

describe('EventEncoder and EventDecoder', () => {
  it('transmit any payload of JSON values and bytes', () => {
    const [encoder, decoder] = [new EventEncoder(MEBIBYTE), new EventDecoder()]
    fc.assert(
      fc.property(eventType, payload, (type, payload) => {
        expect(readEvent(encoder.event(type, payload), decoder)).to.deep.equal({ type, payload })
      }),
      { numRuns: 500 },
    )
  })

  it('produce bodies that any msgpack library can decode', () => {
    const encoder = new EventEncoder(MEBIBYTE)
    fc.assert(
      fc.property(eventType, payload, (type, payload) => {
        const frame = encoder.event(type, payload)
        expect(unpack(bodyOf(frame))).to.deep.equal([5, type, payload])
        expect(bytesOf(frame).readUInt32BE(0)).to.equal(frame.end - frame.start - 4)
      }),
    )
  })

  it('agree with decodeMessage on every event', () => {
    const encoder = new EventEncoder(MEBIBYTE)
    fc.assert(
      fc.property(eventType, fc.option(payload, { nil: undefined }), (type, payload) => {
        const frame = encoder.event(type, payload)
        const message = decodeMessage(frame.bytes, frame.start + 4, frame.end)
        expect(message).to.deep.equal({ kind: 'event', ...readEvent(frame) })
      }),
    )
  })

  for (const length of [1, 31, 32, 254, 255]) {
    it(`transmit a type of ${length} bytes, in ASCII or not`, () => {
      const odd = length % 2 === 0 ? '' : 'x'
      for (const type of ['t'.repeat(length), `${'é'.repeat(Math.floor(length / 2))}${odd}`]) {
        expect(Buffer.byteLength(type)).to.equal(length)
        for (const payload of [undefined, { a: 1 }, Buffer.from('bytes')]) {
          const frame = new EventEncoder(MEBIBYTE).event(type, payload)
          expect(readEvent(frame)).to.deep.equal({ type, payload })
        }
      }
    })
  }

  for (const length of [0, 1, 255, 256, 65535, 65536, 200_000]) {
    it(`transmit a Buffer of ${length} bytes as a Buffer`, () => {
      const sent = Buffer.alloc(length, 'abc')
      const frame = new EventEncoder(MEBIBYTE).event('t', sent)
      const { payload } = readEvent(frame)
      expect(Buffer.isBuffer(payload) && payload.equals(sent)).to.equal(true)
      expect(unpack(bodyOf(frame))).to.deep.equal([5, 't', sent])
    })
  }

  for (const length of [31, 32, 255, 256, 65535, 65536, 300_000]) {
    it(`transmit a string of ${length} characters, in ASCII or not`, () => {
      const encoder = new EventEncoder(4 * MEBIBYTE)
      for (const text of ['x'.repeat(length), 'é'.repeat(length), '€'.repeat(length), '😀'.repeat(length)]) {
        for (const payload of [text, [text, 1, text], { [text]: text }]) {
          const { payload: arrived } = readEvent(encoder.event('t', payload))
          // Not with deep equality, whose report of a difference takes minutes at this length.
          expect(JSON.stringify(arrived) === JSON.stringify(payload)).to.equal(true)
        }
      }
    })
  }

  it('distinguish undefined and null', () => {
    const encoder = new EventEncoder(MEBIBYTE)
    expect(readEvent(encoder.event('t', undefined)).payload).to.equal(undefined)
    expect(readEvent(encoder.event('t', null)).payload).to.equal(null)
  })

  it('do not confuse the cached type with a similar one', () => {
    const [encoder, decoder] = [new EventEncoder(MEBIBYTE), new EventDecoder()]
    for (const type of ['ab', 'ab', 'ac', 'a', 'abc', 'ab', 'b', 'é', 'è', 'ab']) {
      expect(readEvent(encoder.event(type, 1), decoder)).to.deep.equal({ type, payload: 1 })
    }
  })

  it('handle more types than are cached', () => {
    const [encoder, decoder] = [new EventEncoder(MEBIBYTE), new EventDecoder()]
    for (let index = 0; index < 10_100; index++) encoder.event(`t${index}`, 1)
    for (const type of ['t0', 't10050', 't10099'])
      expect(readEvent(encoder.event(type, 2), decoder).type).to.equal(type)
  })
})

describe('EventDecoder', () => {
  it('copies adjacent payloads into small buffers that cannot be transferred and do not change', () => {
    const encoder = new EventEncoder(MEBIBYTE)
    const numbers = Array.from({ length: 300 }, (_, index) => index)
    const sent = numbers.map((number) => Buffer.alloc(100, number))
    const chunk = Buffer.concat(sent.map((payload) => bytesOf(encoder.event('t', payload))))
    const decoder = new EventDecoder()
    const arrived: unknown[] = []
    new FrameReader(MEBIBYTE, (bytes, start, end) => {
      expect(decoder.readPreamble(bytes, start, end)).to.equal(true)
      arrived.push(decoder.payload(bytes, end))
    }).push(chunk)
    chunk.fill(0xff)
    for (const payload of arrived) {
      const memory = Buffer.isBuffer(payload) ? payload.buffer : undefined
      if (!(memory instanceof ArrayBuffer)) return expect.fail('expected bytes')
      expect(memory.byteLength).to.be.at.most(8192)
      // Node 20 copies what can't be transferred, later versions refuse.
      try {
        structuredClone(payload, { transfer: [memory] })
      } catch (error) {
        expect(error).to.include({ name: 'DataCloneError' })
      }
    }
    expect(arrived).to.deep.equal(sent)
  })

  it('copies bytes out of the chunk, as the whole payload or inside it', () => {
    const sent = Buffer.from('precious')
    for (const payload of [sent, [sent], { a: { b: [sent] } }, Buffer.alloc(300, sent), [Buffer.alloc(70_000, sent)]]) {
      const frame = new EventEncoder(MEBIBYTE).event('t', payload)
      const chunk = bytesOf(frame)
      const arrived = readEvent({ bytes: chunk, start: 0, end: chunk.length }).payload
      chunk.fill(0xff)
      expect(JSON.stringify(arrived) === JSON.stringify(payload)).to.equal(true)
    }
  })

  it('copies bytes out of events that are not in the shortest form', () => {
    const body = Buffer.concat([Buffer.from('dc000305a174c50008', 'hex'), Buffer.from('precious')])
    const message = decodeMessage(body, 0, body.length)
    body.fill(0xff)
    expect(message).to.deep.equal({ kind: 'event', type: 't', payload: Buffer.from('precious') })
  })

  const longForms: Readonly<Record<string, string>> = {
    'an array 16': 'dc000305a17407',
    'an array 32': 'dd0000000305a17407',
    'a kind in uint 8': '93cc05a17407',
    'a kind in uint 32': '93ce00000005a17407',
    'a type in str 8': '9305d9017407',
    'a type in str 16': '9305da00017407',
    'a type in str 32': '9305db000000017407',
    'a payload in int 32': '9305a174d200000007',
    'empty headers': '9405a1740780',
    'more elements': '9505a1740780c0',
  }

  for (const [form, hex] of Object.entries(longForms)) {
    it(`decodes an event with ${form}, or leaves it to decodeMessage`, () => {
      const bytes = Buffer.from(hex, 'hex')
      const expected = { kind: 'event', type: 't', payload: 7 }
      expect(decodeMessage(bytes, 0, bytes.length)).to.deep.equal(expected)
      const decoder = new EventDecoder()
      if (decoder.readPreamble(bytes, 0, bytes.length)) {
        const payload = decoder.payload(bytes, bytes.length)
        expect({ kind: 'event', type: decoder.type, payload }).to.deep.equal(expected)
      }
    })
  }

  for (const [what, hex] of Object.entries({
    'a type that exceeds the frame': '9305a57469',
    'a long type that exceeds the frame': '9305d92074',
    'a type whose length is missing': '9305d9',
    'only its first byte': '93',
    'only its first two bytes': '9305',
    'a missing payload': '9305a174',
    'a payload beyond its length': '9205a17407',
    'a second payload': '9305a1740707',
    'a truncated payload': '9305a174cd07',
    'truncated bytes': '9305a174c40361',
    'truncated bytes with a 16-bit length': '9305a174c5000361',
    'truncated bytes with a 32-bit length': '9305a174c60000000361',
    'bytes longer than a frame': '9305a174c6ffffffff',
    'an array longer than a frame': '9305a174ddffffffff',
    'a map longer than a frame': '9305a174dfffffffff',
    'a string longer than a frame': '9305a174dbffffffff',
    'an extension longer than a frame': '9305a174c9ffffffff01',
    'an unknown extension': '9305a174d42a00',
  })) {
    it(`rejects an event with ${what}, whatever follows in the chunk`, () => {
      const body = Buffer.from(hex, 'hex')
      for (const behind of [0x00, 0x74, 0x91, 0xc0, 0xff]) {
        const bytes = Buffer.concat([Buffer.alloc(3, behind), body, Buffer.alloc(5000, behind)])
        const [start, end] = [3, 3 + body.length]
        const decoder = new EventDecoder()
        const refused = violation(() =>
          decoder.readPreamble(bytes, start, end) ? decoder.payload(bytes, end) : decodeMessage(bytes, start, end),
        )
        expect(refused).to.equal('malformed')
      }
    })
  }
})

describe('the name of a type in a message', () => {
  const INVALID = ['e9', '63e961', 'c328', 'e282', 'c080', 'eda080', 'f09f98', 'efbfbd', '612ef0']

  for (const bytes of INVALID) {
    it(`is malformed if its bytes are no UTF-8, or stand for such bytes: ${bytes}`, () => {
      const name = `${(0xa0 + bytes.length / 2).toString(16)}${bytes}`
      const event = Buffer.from(`9305${name}01`, 'hex')
      expect(violation(() => new EventDecoder().readPreamble(event, 0, event.length))).to.equal('malformed')
      for (const body of [`9405${name}0101`, `940d01${name}01`, `940aa171${name}c2`, `93020191 81a474797065${name}`]) {
        const message = Buffer.from(body.replaceAll(' ', ''), 'hex')
        expect(
          violation(() => decodeMessage(message, 0, message.length)),
          body,
        ).to.equal('malformed')
      }
    })
  }
})

describe('encodeMessage and decodeMessage', () => {
  const anyMessage = fc.oneof(...Object.values<fc.Arbitrary<Message>>(messages))

  it('transmit every message, at any position in a buffer', () => {
    fc.assert(
      fc.property(anyMessage, fc.nat(300), fc.nat(300), (message, before, behind) => {
        const body = bodyOf(encodeMessage(message))
        const bytes = Buffer.concat([Buffer.alloc(before, 0xc1), body, Buffer.alloc(behind, 0xc1)])
        expect(decodeMessage(bytes, before, before + body.length)).to.deep.equal(message)
      }),
    )
  })

  it('produce a frame of exactly the message', () => {
    const frame = encodeMessage({ kind: 'gap', count: 3 })
    expect(bytesOf(frame).equals(frameAround(new Packr({ useRecords: false }).pack([6, 3])))).to.equal(true)
  })

  it('decode or reject any bytes, and never read beyond the end of the body', () => {
    const mutated = fc
      .tuple(anyMessage, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }), fc.nat(5))
      .map(([message, changes, cut]) => {
        const body = bodyOf(encodeMessage(message))
        for (const [at, value] of changes) body[at % body.length] = value
        return body.subarray(0, Math.max(1, body.length - cut))
      })
    const bodies = fc.oneof(fc.uint8Array({ minLength: 1, maxLength: 60 }), mutated).map((bytes) => Buffer.from(bytes))
    fc.assert(
      fc.property(bodies, fc.uint8Array({ minLength: 1, maxLength: 200 }), (body, behind) => {
        const alone = outcome(() => decodeMessage(Buffer.from(body), 0, body.length))
        const bytes = Buffer.concat([body, behind])
        expect(outcome(() => decodeMessage(bytes, 0, body.length))).to.deep.equal(alone)
      }),
      { numRuns: 5000 },
    )
  })

  it('reject nesting that would exhaust the stack', () => {
    for (const opening of ['91', '81a161', '81c0', 'dc0001']) {
      const body = Buffer.from(opening.repeat(100_000), 'hex')
      expect(violation(() => decodeMessage(body, 0, body.length))).to.equal('malformed')
    }
  })

  it('reject nested headers of large arrays without allocating memory for them', () => {
    const before = process.memoryUsage().heapUsed
    const body = Buffer.from('dd00ffffff'.repeat(10_000), 'hex')
    expect(violation(() => decodeMessage(body, 0, body.length))).to.equal('malformed')
    expect(process.memoryUsage().heapUsed - before).to.be.below(64 * MEBIBYTE)
  })
})
