import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect } from 'chai'
import fc from 'fast-check'
import { Packr, unpack } from 'msgpackr'
import { decodeMessage, Encoder, EventDecoder, encodeMessage, SLAB_BYTES } from '../src/codec'
import { ProtocolViolation, UnserializablePayload } from '../src/errors'
import type { Frame } from '../src/frame'
import type { Message } from '../src/message'
import { bodyOf, bytesOf, frameAround } from './frame-bytes'
import { messages, payload } from './message-arbitraries'
import { violation } from './violation'

const MEBIBYTE = 1024 * 1024

/** Any type's name that `defineEvent` would take: 1 to 255 bytes of UTF-8. */
const eventType = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 255 })
  .filter((name) => Buffer.byteLength(name) <= 255)

/** An event as a link reads it: where it lies, the header first. */
function read({ bytes, start, end }: Frame, decoder = new EventDecoder()) {
  const header = decoder.header(bytes, start + 4, end)
  if (!header) throw new Error(`expected an event in its shortest form, got ${bytes.toString('hex', start, end)}`)
  return { type: header.type, payload: decoder.payload(bytes, header.payloadStart, end) }
}

/** What came of reading: a message, or a refusal. Anything but a violation of the protocol fails the test. */
function outcome(call: () => unknown): unknown {
  try {
    return call()
  } catch (error) {
    if (error instanceof ProtocolViolation) return error.reason
    throw error
  }
}

/** Frees what nobody refers to any more, so that what is left can be measured. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
}

describe('Encoder and EventDecoder', () => {
  it('carry any payload that looks like JSON, and bytes anywhere in it', () => {
    const [encoder, decoder] = [new Encoder(MEBIBYTE), new EventDecoder()]
    fc.assert(
      fc.property(eventType, payload, (type, payload) => {
        expect(read(encoder.event(type, payload), decoder)).to.deep.equal({ type, payload })
      }),
      { numRuns: 500 },
    )
  })

  it('write bodies that any msgpack library reads', () => {
    const encoder = new Encoder(MEBIBYTE)
    fc.assert(
      fc.property(eventType, payload, (type, payload) => {
        const frame = encoder.event(type, payload)
        expect(unpack(bodyOf(frame))).to.deep.equal([5, type, payload])
        expect(bytesOf(frame).readUInt32BE(0)).to.equal(frame.end - frame.start - 4)
      }),
    )
  })

  it('agree with decodeMessage about every event', () => {
    const encoder = new Encoder(MEBIBYTE)
    fc.assert(
      fc.property(eventType, fc.option(payload, { nil: undefined }), (type, payload) => {
        const frame = encoder.event(type, payload)
        const message = decodeMessage(frame.bytes, frame.start + 4, frame.end)
        expect(message).to.deep.equal({ kind: 'event', ...read(frame) })
      }),
    )
  })

  for (const length of [1, 31, 32, 254, 255]) {
    it(`carry a type of ${length} bytes, in ASCII or not`, () => {
      const odd = length % 2 === 0 ? '' : 'x'
      for (const type of ['t'.repeat(length), `${'é'.repeat(Math.floor(length / 2))}${odd}`]) {
        expect(Buffer.byteLength(type)).to.equal(length)
        for (const payload of [undefined, { a: 1 }, Buffer.from('bytes')]) {
          const frame = new Encoder(MEBIBYTE).event(type, payload)
          expect(read(frame)).to.deep.equal({ type, payload })
        }
      }
    })
  }

  for (const length of [0, 1, 255, 256, 65535, 65536, 200_000]) {
    it(`carry ${length} bytes, as a Buffer that arrives as a Buffer`, () => {
      const sent = Buffer.alloc(length, 'abc')
      const frame = new Encoder(MEBIBYTE).event('t', sent)
      const { payload } = read(frame)
      expect(Buffer.isBuffer(payload) && payload.equals(sent)).to.equal(true)
      expect(unpack(bodyOf(frame))).to.deep.equal([5, 't', sent])
    })
  }

  for (const length of [31, 32, 255, 256, 65535, 65536, 300_000]) {
    it(`carry a string of ${length} characters, in ASCII or not`, () => {
      const encoder = new Encoder(4 * MEBIBYTE)
      for (const text of ['x'.repeat(length), 'é'.repeat(length), '€'.repeat(length), '😀'.repeat(length)]) {
        for (const payload of [text, [text, 1, text], { [text]: text }]) {
          const { payload: arrived } = read(encoder.event('t', payload))
          // Not by deep equality, whose report of a difference would take minutes at this length.
          expect(JSON.stringify(arrived) === JSON.stringify(payload)).to.equal(true)
        }
      }
    })
  }

  it('tell undefined from null', () => {
    const encoder = new Encoder(MEBIBYTE)
    expect(read(encoder.event('t', undefined)).payload).to.equal(undefined)
    expect(read(encoder.event('t', null)).payload).to.equal(null)
  })

  it('remember the last type without mixing it up with one that looks like it', () => {
    const [encoder, decoder] = [new Encoder(MEBIBYTE), new EventDecoder()]
    for (const type of ['ab', 'ab', 'ac', 'a', 'abc', 'ab', 'b', 'é', 'è', 'ab']) {
      expect(read(encoder.event(type, 1), decoder)).to.deep.equal({ type, payload: 1 })
    }
  })

  it('remember types beyond those that are kept ready', () => {
    const [encoder, decoder] = [new Encoder(MEBIBYTE), new EventDecoder()]
    for (let index = 0; index < 10_100; index++) encoder.event(`t${index}`, 1)
    for (const type of ['t0', 't10050', 't10099']) expect(read(encoder.event(type, 2), decoder).type).to.equal(type)
  })
})

describe('Encoder', () => {
  it('lays the frames of a burst one behind the other', () => {
    const encoder = new Encoder(MEBIBYTE)
    const frames = Array.from({ length: 100 }, (_, index) => encoder.event('burst', { index }))
    for (const [index, frame] of frames.entries()) {
      const before = frames[index - 1]
      if (!before) continue
      expect(frame.bytes).to.equal(before.bytes)
      expect(frame.start).to.equal(before.end)
    }
  })

  it('leaves the bytes of a frame as they are when later ones are encoded', () => {
    const payloads = fc.array(fc.oneof(payload, fc.uint8Array({ maxLength: 20_000 })), { minLength: 2, maxLength: 60 })
    fc.assert(
      fc.property(payloads, (payloads) => {
        const encoder = new Encoder(MEBIBYTE)
        const frames = payloads.map((payload) => encoder.event('t', payload))
        const alone = payloads.map((payload) => bytesOf(new Encoder(MEBIBYTE).event('t', payload)))
        expect(frames.map(bytesOf)).to.deep.equal(alone)
      }),
    )
  })

  it('goes on in a new slab where a frame does not fit into the rest of one', () => {
    const encoder = new Encoder(MEBIBYTE)
    const size = 10_000
    const frames = Array.from({ length: 20 }, (_, index) => encoder.event('t', Buffer.alloc(size, index)))
    const slabs = new Set(frames.map(({ bytes }) => bytes))
    expect(slabs.size).to.equal(Math.ceil(20 / Math.floor(SLAB_BYTES / (size + 11))))
    for (const slab of slabs) expect(slab.length).to.equal(SLAB_BYTES)
    for (const [index, frame] of frames.entries()) {
      expect(Buffer.alloc(size, index).equals(bodyOf(frame).subarray(7))).to.equal(true)
    }
  })

  it('gives a large frame a buffer of its own, which leaves the slab to the small ones', () => {
    const encoder = new Encoder(MEBIBYTE)
    const [before, large, after] = [1, Buffer.alloc(SLAB_BYTES), 2].map((payload) => encoder.event('t', payload))
    expect(large?.start).to.equal(0)
    expect(large?.bytes.length).to.equal(large?.end)
    expect(after?.bytes).to.equal(before?.bytes)
    expect(after?.start).to.equal(before?.end)
  })

  it('takes a body of exactly the limit, and refuses one byte more', () => {
    const encoder = new Encoder(5000)
    for (const make of [(length: number) => Buffer.alloc(length), (length: number) => 'x'.repeat(length)]) {
      expect(bytesOf(encoder.event('t', make(5000 - 7)))).to.have.lengthOf(5004)
      expect(() => encoder.event('t', make(5000 - 6)))
        .to.throw('event t: expected a frame of at most 5000 bytes, got 5001')
        .with.property('code', 'LAHJA_PAYLOAD_TOO_LARGE')
    }
  })

  it('goes on as before after it has refused', () => {
    const encoder = new Encoder(5000)
    const before = encoder.event('t', 1)
    expect(() => encoder.event('t', 'x'.repeat(500_000))).to.throw('at most 5000 bytes')
    expect(() => encoder.event('t', [() => {}])).to.throw(UnserializablePayload)
    const after = encoder.event('t', { a: [2] })
    expect(after.start).to.equal(before.end)
    expect(read(after).payload).to.deep.equal({ a: [2] })
  })

  it('keeps no memory of the size of the largest payload', () => {
    const encoder = new Encoder(64 * MEBIBYTE)
    encoder.event('t', 1)
    collectGarbage()
    const before = process.memoryUsage().arrayBuffers
    encoder.event('t', 'x'.repeat(20 * MEBIBYTE))
    encoder.event('t', 1)
    collectGarbage()
    expect(process.memoryUsage().arrayBuffers - before).to.be.below(MEBIBYTE)
  })

  it('encodes an event that a getter of another one broadcasts', () => {
    const encoder = new Encoder(MEBIBYTE)
    const inner: Frame[] = []
    const outer = encoder.event('outer', {
      a: 1,
      get b() {
        inner.push(encoder.event('inner', { n: [5] }))
        return 2
      },
      c: 3,
    })
    expect(read(outer)).to.deep.equal({ type: 'outer', payload: { a: 1, b: 2, c: 3 } })
    expect(inner).not.to.have.length(0)
    for (const frame of inner) expect(read(frame)).to.deep.equal({ type: 'inner', payload: { n: [5] } })
  })
})

describe('EventDecoder', () => {
  it('copies bytes out of the chunk, at the top of a payload and inside it', () => {
    const sent = Buffer.from('precious')
    for (const payload of [sent, [sent], { a: { b: [sent] } }, Buffer.alloc(300, sent), [Buffer.alloc(70_000, sent)]]) {
      const frame = new Encoder(MEBIBYTE).event('t', payload)
      const chunk = bytesOf(frame)
      const arrived = read({ bytes: chunk, start: 0, end: chunk.length }).payload
      chunk.fill(0xff)
      expect(JSON.stringify(arrived) === JSON.stringify(payload)).to.equal(true)
    }
  })

  it('copies bytes out of events in a form that is not the shortest', () => {
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
    'more elements': '9405a17407c0',
  }

  for (const [form, hex] of Object.entries(longForms)) {
    it(`leaves to decodeMessage, or reads itself, an event with ${form}`, () => {
      const bytes = Buffer.from(hex, 'hex')
      const expected = { kind: 'event', type: 't', payload: 7 }
      expect(decodeMessage(bytes, 0, bytes.length)).to.deep.equal(expected)
      const decoder = new EventDecoder()
      const header = decoder.header(bytes, 0, bytes.length)
      if (header) {
        const payload = decoder.payload(bytes, header.payloadStart, bytes.length)
        expect({ kind: 'event', type: header.type, payload }).to.deep.equal(expected)
      }
    })
  }

  for (const [what, hex] of Object.entries({
    'a type that reaches beyond the frame': '9305a57469',
    'a long type that reaches beyond the frame': '9305d92074',
    'a type whose length is missing': '9305d9',
    'nothing but its first byte': '93',
    'nothing but its first two bytes': '9305',
    'a payload that was announced and is missing': '9305a174',
    'a payload that was not announced': '9205a17407',
    'a second payload': '9305a1740707',
    'a payload that is cut off': '9305a174cd07',
    'binary that is cut off': '9305a174c40361',
    'binary of 16 bits of length that is cut off': '9305a174c5000361',
    'binary of 32 bits of length that is cut off': '9305a174c60000000361',
    'binary that is longer than the frame can be': '9305a174c6ffffffff',
    'an array that is longer than the frame can be': '9305a174ddffffffff',
    'a map that is longer than the frame can be': '9305a174dfffffffff',
    'a string that is longer than the frame can be': '9305a174dbffffffff',
    'an extension that is longer than the frame can be': '9305a174c9ffffffff01',
    'an extension that nobody knows': '9305a174d42a00',
  })) {
    it(`refuses an event with ${what}, whatever lies behind it in the chunk`, () => {
      const body = Buffer.from(hex, 'hex')
      for (const behind of [0x00, 0x74, 0x91, 0xc0, 0xff]) {
        const bytes = Buffer.concat([Buffer.alloc(3, behind), body, Buffer.alloc(5000, behind)])
        const [start, end] = [3, 3 + body.length]
        const decoder = new EventDecoder()
        const header = decoder.header(bytes, start, end)
        const refused = violation(() =>
          header ? decoder.payload(bytes, header.payloadStart, end) : decodeMessage(bytes, start, end),
        )
        expect(refused).to.equal('malformed')
      }
    })
  }
})

describe('encodeMessage and decodeMessage', () => {
  const anyMessage = fc.oneof(...Object.values<fc.Arbitrary<Message>>(messages))

  it('carry every message, wherever it lies in a buffer', () => {
    fc.assert(
      fc.property(anyMessage, fc.nat(300), fc.nat(300), (message, before, behind) => {
        const body = bodyOf(encodeMessage(message))
        const bytes = Buffer.concat([Buffer.alloc(before, 0xc1), body, Buffer.alloc(behind, 0xc1)])
        expect(decodeMessage(bytes, before, before + body.length)).to.deep.equal(message)
      }),
    )
  })

  it('write a frame of exactly the message', () => {
    const frame = encodeMessage({ kind: 'gap', count: 3 })
    expect(bytesOf(frame).equals(frameAround(new Packr({ useRecords: false }).pack([6, 3])))).to.equal(true)
  })

  it('read any bytes as a message or refuse them, and never look beyond the end of the body', () => {
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

  it('refuse nesting that would exhaust the stack', () => {
    for (const opening of ['91', '81a161', '81c0', 'dc0001']) {
      const body = Buffer.from(opening.repeat(100_000), 'hex')
      expect(violation(() => decodeMessage(body, 0, body.length))).to.equal('malformed')
    }
  })

  it('refuse nested announcements of large arrays without making room for them', () => {
    const before = process.memoryUsage().heapUsed
    const body = Buffer.from('dd00ffffff'.repeat(10_000), 'hex')
    expect(violation(() => decodeMessage(body, 0, body.length))).to.equal('malformed')
    expect(process.memoryUsage().heapUsed - before).to.be.below(64 * MEBIBYTE)
  })
})
