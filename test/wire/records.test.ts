import { expect } from 'chai'
import fc from 'fast-check'
import { PayloadTooLarge } from '../../src/model/errors'
import { decodeNextMessage } from '../../src/wire/codec'
import { EventEncoder, type EventFrame } from '../../src/wire/event-encoder'
import { packHeaders } from '../../src/wire/packer'
import type { ShapeKeys } from '../../src/wire/shape-limits'
import { ToldShapes } from '../../src/wire/told-shapes'
import { payload } from '../support/message-arbitraries'

const MEBIBYTE = 1024 * 1024

/** A receiver that is told the shapes of each event before it comes. */
class Receiver {
  readonly #shapes = new ToldShapes()
  #told = 0

  read({ bytes, start, end }: EventFrame, shapes: readonly ShapeKeys[]): unknown {
    for (; this.#told < shapes.length; this.#told++) this.#shapes.add(shapes[this.#told] ?? [])
    const message = decodeNextMessage(bytes, start + 4, end, this.#shapes)
    return message.kind === 'event' ? message.payload : expect.fail(message.kind)
  }
}

const small = fc.oneof(fc.integer(), fc.string({ maxLength: 3 }), fc.constant(null), fc.uint8Array({ maxLength: 3 }))

/** Objects of few shapes, which are often the beginning of each other or share their first keys. */
const similar = fc.letrec<{ object: object; value: unknown }>((tie) => ({
  value: fc.oneof({ maxDepth: 3 }, small, tie('object'), fc.array(tie('object'), { maxLength: 4 })),
  object: fc
    .tuple(
      fc.constantFrom(['id', 'a', 'b'], ['id', 'b', 'a'], ['id'], ['a', 'id', 'c', 'd'], ['id', 'a', 'b', 'c'], []),
      fc.array(tie('value'), { minLength: 4, maxLength: 4 }),
    )
    .map(([keys, values]) => Object.fromEntries(keys.map((key, index) => [key, values[index]]))),
})).object

describe('records', () => {
  let encoder: EventEncoder
  let receiver: Receiver

  beforeEach(() => {
    encoder = new EventEncoder(MEBIBYTE)
    receiver = new Receiver()
  })

  const send = (value: unknown, headers?: Uint8Array) => {
    const frame = encoder.event('t', value, headers, [])
    return { frame, arrives: receiver.read(frame, encoder.shapes) }
  }

  /** As it arrives from a sender that sends no records. */
  const plain = (value: unknown) => new Receiver().read(new EventEncoder(MEBIBYTE).event('t', value), [])

  it('arrive as the objects that they stand for, whatever shapes follow each other', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(similar, payload), { minLength: 40, maxLength: 120 }), (values) => {
        encoder = new EventEncoder(MEBIBYTE)
        receiver = new Receiver()
        for (const value of values) {
          const { frame, arrives } = send(value)
          expect(arrives).to.deep.equal(plain(value))
          if (frame.savedBytes > 0) expect(frame.end - frame.start).to.be.lessThan(bytesWithout(value))
        }
      }),
      { numRuns: 50 },
    )
  })

  const bytesWithout = (value: unknown) => {
    const { start, end } = new EventEncoder(MEBIBYTE).event('t', value)
    return end - start
  }

  it('take the place of objects that are sent again and again, with headers or without', () => {
    const value = { id: 1, at: { x: 1, y: 2 }, rows: [{ sku: 'a' }, { sku: 'b' }] }
    for (let times = 0; times < 50; times++) {
      const headers = times % 2 === 0 ? packHeaders({ trace: 'x' }) : undefined
      const { frame, arrives } = send(value, headers)
      expect(arrives).to.deep.equal(value)
      // The 17th row is the 16th that is looked at to its end.
      expect(frame.savedBytes > 0).to.equal(times >= 8)
    }
    expect(encoder.shapes).to.deep.equal([['sku'], ['x', 'y'], ['id', 'at', 'rows']])
  })

  it('are sent to nobody who may not take them', () => {
    for (let times = 0; times < 50; times++) send({ id: 1 })
    const frame = encoder.event('t', { id: 1 })
    expect(frame.savedBytes).to.equal(0)
    expect(new Receiver().read(frame, [])).to.deep.equal({ id: 1 })
  })

  it('may be objects that turn out to have other keys, each of which is read once', () => {
    const reads: string[] = []
    const made = (keys: readonly string[]) => {
      const object = {}
      for (const key of keys) {
        Object.defineProperty(object, key, { enumerable: true, get: () => reads.push(key) })
      }
      return object
    }
    for (let times = 0; times < 50; times++) send(made(['id', 'a', 'b']))
    for (const keys of [['id', 'a', 'x', 'b'], ['id'], ['id', 'a'], ['id', 'a', 'b', 'c'], ['id', 'a', 'b']]) {
      reads.length = 0
      expect(send(made(keys)).arrives).to.deep.equal(Object.fromEntries(keys.map((key, index) => [key, index + 1])))
      expect(reads).to.deep.equal(keys)
    }
  })

  it('go on after an object that cannot be sent', () => {
    for (let times = 0; times < 50; times++) send({ id: 1, rows: [{ sku: 'a' }] })
    for (const value of [Symbol('no'), Promise.resolve(), new WeakMap()]) {
      expect(() => send({ id: 1, rows: [{ sku: value }] })).to.throw('payload.rows[0].sku is')
      expect(send({ id: 1, rows: [{ sku: 'a' }] }).arrives).to.deep.equal({ id: 1, rows: [{ sku: 'a' }] })
    }
  })

  it('may be sent by the getters of others', () => {
    const inner: unknown[] = []
    const value = (number: number) => ({
      id: number,
      get sent() {
        inner.push(send({ id: number, inner: true }).arrives)
        return number
      },
      last: number,
    })
    for (let number = 0; number < 50; number++) {
      expect(send(value(number)).arrives).to.deep.equal({ id: number, sent: number, last: number })
      expect(inner).to.deep.equal([{ id: number, inner: true }])
      inner.length = 0
    }
  })

  it('make no difference to what is too large', () => {
    const large = (letters: number) => ({ ['k'.repeat(60)]: 'x'.repeat(letters) })
    encoder = new EventEncoder(10_000)
    for (let times = 0; times < 50; times++) send(large(10))
    const besides = bytesWithout(large(0)) - 4 + 2
    expect(send(large(10_000 - besides)).frame.savedBytes).to.equal(61)
    for (const headers of [undefined, packHeaders({ trace: 'x' })]) {
      expect(() => send(large(10_001 - besides), headers)).to.throw(PayloadTooLarge)
    }
    expect(send(large(10)).arrives).to.deep.equal(large(10))
  })
})
