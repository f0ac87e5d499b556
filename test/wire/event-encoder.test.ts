import { expect } from 'chai'
import fc from 'fast-check'
import { unpack } from 'msgpackr'
import { UnserializablePayload } from '../../src/model/errors'
import { assignmentOf, encodeMessage, isAssignment } from '../../src/wire/codec'
import { EventEncoder } from '../../src/wire/event-encoder'
import { type Frame, frameEnd } from '../../src/wire/frame'
import type { Message } from '../../src/wire/message'
import { SLAB_BYTES } from '../../src/wire/slabs'
import { bodyOf, bytesOf } from '../support/frame-bytes'
import { collectGarbage } from '../support/garbage'
import { messages, payload } from '../support/message-arbitraries'
import { readEvent } from '../support/read-event'

const MEBIBYTE = 1024 * 1024

describe('EventEncoder', () => {
  let encoder: EventEncoder

  beforeEach(() => {
    encoder = new EventEncoder(MEBIBYTE)
  })

  it('places the frames of a burst back to back', () => {
    const frames = Array.from({ length: 100 }, (_, index) => encoder.event('burst', { index }))
    for (const [index, frame] of frames.entries()) {
      const before = frames[index - 1]
      if (!before) continue
      expect(frame.bytes).to.equal(before.bytes)
      expect(frame.start).to.equal(before.end)
    }
  })

  it('never changes the bytes of earlier frames', () => {
    const payloads = fc.array(fc.oneof(payload, fc.uint8Array({ maxLength: 20_000 })), { minLength: 2, maxLength: 60 })
    fc.assert(
      fc.property(payloads, (payloads) => {
        const encoder = new EventEncoder(MEBIBYTE)
        const frames = payloads.map((payload) => encoder.event('t', payload))
        const alone = payloads.map((payload) => bytesOf(new EventEncoder(MEBIBYTE).event('t', payload)))
        expect(frames.map(bytesOf)).to.deep.equal(alone)
      }),
    )
  })

  it('encodes what the getters of a payload send meanwhile, and the payload, whatever they take in the slabs', () => {
    const sent: [bytes: Buffer, payload: unknown][] = []
    const inner = [{ a: 1 }, 'x'.repeat(5000), Buffer.alloc(9000, 1), Buffer.alloc(20_000, 2), [{}, 'y'.repeat(16_000)]]
    for (let round = 0; round < 40; round++) {
      const sentMeanwhile = inner[round % inner.length]
      const payload = {
        before: 'b'.repeat(round * 97),
        get sent() {
          sent.push([bytesOf(encoder.event('inner', sentMeanwhile)), sentMeanwhile])
          encoder.releaseSlabs()
          return round
        },
        behind: 'c'.repeat(round * 131),
      }
      const plain = { before: payload.before, sent: round, behind: payload.behind }
      sent.push([bytesOf(encoder.event('outer', payload)), plain])
    }
    for (const [bytes, expected] of sent) {
      expect(readEvent({ bytes, start: 0, end: bytes.length }).payload).to.deep.equal(expected)
    }
  })

  it('goes on where it was after a payload whose getter throws', () => {
    const first = encoder.event('t', 1)
    const failing = {
      text: 'x'.repeat(300),
      get broken(): never {
        throw new RangeError('broken')
      },
    }
    expect(() => encoder.event('t', failing)).to.throw(UnserializablePayload, 'broken')
    const second = encoder.event('t', { a: 2 })
    expect([second.bytes, second.start]).to.deep.equal([first.bytes, first.end])
    expect(readEvent(second).payload).to.deep.equal({ a: 2 })
  })

  it('starts a new slab when a frame does not fit into the current one', () => {
    const size = 10_000
    const frames = Array.from({ length: 20 }, (_, index) => encoder.event('t', Buffer.alloc(size, index)))
    const slabs = new Set(frames.map(({ bytes }) => bytes))
    expect(slabs.size).to.equal(Math.ceil(20 / Math.floor(SLAB_BYTES / (size + 11))))
    for (const slab of slabs) expect(slab.length).to.equal(SLAB_BYTES)
    for (const [index, frame] of frames.entries()) {
      expect(Buffer.alloc(size, index).equals(bodyOf(frame).subarray(7))).to.equal(true)
    }
  })

  it('fills a slab to its last byte and no further', () => {
    for (const over of [0, 1]) {
      const encoder = new EventEncoder(MEBIBYTE)
      const lengths = [16_000, 16_000, 16_000, 16_000, SLAB_BYTES - 4 * 16_000 + over]
      const [first, ...rest] = lengths.map((length) => encoder.event('t', Buffer.alloc(length - 11, 'x')))
      const last = rest.at(-1)
      expect(last?.bytes === first?.bytes).to.equal(over === 0)
      expect(
        last &&
          bodyOf(last)
            .subarray(7)
            .equals(Buffer.alloc(SLAB_BYTES - 64_000 + over - 11, 'x')),
      ).to.equal(true)
    }
  })

  it('gives a large frame its own buffer and continues in the slab', () => {
    const [before, large, after] = [1, Buffer.alloc(SLAB_BYTES), 2].map((payload) => encoder.event('t', payload))
    expect(large?.start).to.equal(0)
    expect(large?.bytes.length).to.equal(large?.end)
    expect(after?.bytes).to.equal(before?.bytes)
    expect(after?.start).to.equal(before?.end)
  })

  it('accepts a body of exactly the limit and rejects one byte more', () => {
    const encoder = new EventEncoder(5000)
    for (const make of [(length: number) => Buffer.alloc(length), (length: number) => 'x'.repeat(length)]) {
      expect(bytesOf(encoder.event('t', make(5000 - 7)))).to.have.lengthOf(5004)
      expect(() => encoder.event('t', make(5000 - 6)))
        .to.throw('event t: takes 5001 bytes encoded, but limits.frameBytes is 5000; send less')
        .with.property('code', 'LAHJA_PAYLOAD_TOO_LARGE')
    }
  })

  it('works as before after an error', () => {
    const encoder = new EventEncoder(5000)
    const before = encoder.event('t', 1)
    expect(() => encoder.event('t', 'x'.repeat(500_000))).to.throw('limits.frameBytes is 5000')
    expect(() => encoder.event('t', [() => {}])).to.throw(UnserializablePayload)
    const after = encoder.event('t', { a: [2] })
    expect(after.start).to.equal(before.end)
    expect(readEvent(after).payload).to.deep.equal({ a: [2] })
  })

  it('frees the memory of a very large payload', async () => {
    const encoder = new EventEncoder(64 * MEBIBYTE)
    encoder.event('t', 1)
    await collectGarbage()
    const before = process.memoryUsage().arrayBuffers
    encoder.event('t', 'x'.repeat(20 * MEBIBYTE))
    encoder.event('t', 1)
    await collectGarbage()
    expect(process.memoryUsage().arrayBuffers - before).to.be.below(MEBIBYTE)
  })

  for (const [what, more] of Object.entries({ 'with a date': new Date(0), 'of 1,000 bytes': 'x'.repeat(1000) })) {
    it(`encodes a payload ${what} correctly while its getter encodes other events`, () => {
      let inner = encoder.event('inner', 0)
      const outer = encoder.event('outer', {
        more,
        get broadcasts() {
          inner = encoder.event('inner', ['i', { like: new Date(1) }])
          return true
        },
      })
      expect(readEvent(outer).payload).to.deep.equal({ more, broadcasts: true })
      expect(readEvent(inner).payload).to.deep.equal(['i', { like: new Date(1) }])
    })
  }

  for (const length of [5, 300_000]) {
    it(`encodes an event of ${length} characters in a getter of another event, and the other event`, () => {
      const text = 'x'.repeat(length)
      const inner: Frame[] = []
      const outer = encoder.event('outer', {
        a: 1,
        get b() {
          inner.push(encoder.event('inner', [text]))
          return 2
        },
        c: 3,
      })
      expect(readEvent(outer)).to.deep.equal({ type: 'outer', payload: { a: 1, b: 2, c: 3 } })
      expect(inner).not.to.have.length(0)
      for (const frame of inner) expect(readEvent(frame)).to.deep.equal({ type: 'inner', payload: [text] })
    })
  }
})

describe('EventEncoder.assignment', () => {
  let encoder: EventEncoder

  beforeEach(() => {
    encoder = new EventEncoder(MEBIBYTE)
  })

  const name = fc.string({ unit: 'grapheme', maxLength: 255 }).filter((text) => Buffer.byteLength(text) <= 255)
  const queue = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/)
  const assigned = fc.record({ queue, type: name, isFixed: fc.boolean() })
  const whatever = fc.oneof(fc.constant(undefined), payload, fc.uint8Array({ maxLength: 20_000 }))

  it('encodes the same as encodeMessage', () => {
    fc.assert(
      fc.property(assigned, whatever, (assigned, payload) => {
        const event = encoder.event(assigned.type, payload)
        const frame = encoder.assignment(event, assigned)
        const alone = encodeMessage({ kind: 'assign', ...assigned, payload })
        expect(unpack(bodyOf(frame))).to.deep.equal(unpack(bodyOf(alone)))
        expect(frameEnd(frame.bytes, frame.start)).to.equal(frame.end)
      }),
    )
  })

  it('does not change the frame of the event', () => {
    fc.assert(
      fc.property(assigned, whatever, (assigned, payload) => {
        const event = encoder.event(assigned.type, payload)
        const before = bytesOf(event)
        encoder.assignment(event, assigned)
        encoder.assignment(event, { ...assigned, queue: 'another' })
        expect(bytesOf(event).equals(before)).to.equal(true)
      }),
    )
  })

  for (const length of [1, 31, 32, 255]) {
    it(`encodes a type of ${length} bytes and a queue of ${Math.min(length, 64)} bytes`, () => {
      const [queue, type] = ['q'.repeat(Math.min(length, 64)), 't'.repeat(length)]
      for (const isFixed of [true, false]) {
        const frame = encoder.assignment(encoder.event(type, [1]), { queue, type, isFixed })
        expect(assignmentOf(frame)).to.deep.equal({ kind: 'assign', queue, type, isFixed, payload: [1] })
      }
    })
  }

  it('rejects a body over the limit, even if the event was within it', () => {
    const encoder = new EventEncoder(5000)
    const assigned = { queue: 'q', type: 't', isFixed: false }
    const eventOf = (size: number) => encoder.event('t', 'x'.repeat(size - 3 - 7))
    expect(bytesOf(encoder.assignment(eventOf(5000), assigned))).to.have.lengthOf(5004)
    expect(() => encoder.assignment(eventOf(5001), assigned))
      .to.throw('event t: takes 5001 bytes encoded, but limits.frameBytes is 5000; send less')
      .with.property('code', 'LAHJA_PAYLOAD_TOO_LARGE')
  })

  it('places its frame directly behind that of the event', () => {
    const event = encoder.event('t', 1)
    const frame = encoder.assignment(event, { queue: 'q', type: 't', isFixed: false })
    expect(frame.bytes).to.equal(event.bytes)
    expect(frame.start).to.equal(event.end)
  })
})

describe('isAssignment and assignmentOf', () => {
  const anyMessage = fc.oneof(...Object.values<fc.Arbitrary<Message>>(messages))

  it('distinguish assignments from all other messages, at any position', () => {
    fc.assert(
      fc.property(anyMessage, fc.nat(20), (message, before) => {
        const bytes = Buffer.concat([Buffer.alloc(before, 0x95), bytesOf(encodeMessage(message))])
        expect(isAssignment(bytes, before), message.kind).to.equal(message.kind === 'assign')
      }),
      { numRuns: 500 },
    )
  })

  it('distinguish assignments from adjacent events', () => {
    const encoder = new EventEncoder(MEBIBYTE)
    for (const payload of [undefined, null, 10, [10], { a: 10 }, Buffer.from([10])]) {
      for (const type of ['t', '\n', 't'.repeat(255)]) {
        const event = encoder.event(type, payload)
        const assignment = encoder.assignment(event, { queue: 'q', type, isFixed: true })
        expect(isAssignment(event.bytes, event.start)).to.equal(false)
        expect(isAssignment(assignment.bytes, assignment.start)).to.equal(true)
      }
    }
  })

  it('decode every assignment', () => {
    fc.assert(
      fc.property(messages.assign, (message) => {
        expect(assignmentOf(encodeMessage(message))).to.deep.equal(message)
      }),
    )
  })

  it('reject every other message', () => {
    fc.assert(
      fc.property(
        anyMessage.filter(({ kind }) => kind !== 'assign'),
        (message) => {
          expect(() => assignmentOf(encodeMessage(message))).to.throw(
            TypeError,
            `not an assignment but of kind ${message.kind}`,
          )
        },
      ),
    )
  })
})
