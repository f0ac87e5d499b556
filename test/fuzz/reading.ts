import { isDeepStrictEqual } from 'node:util'
import { agree } from '../../src/mesh/agreement'
import { ProtocolViolation, UnserializablePayload } from '../../src/model/errors'
import { HANDSHAKE_FRAME_BYTES } from '../../src/model/limits'
import { decodeMessage, decodeNextMessage, encodeMessage } from '../../src/wire/codec'
import { EventDecoder } from '../../src/wire/event-decoder'
import { FrameReader } from '../../src/wire/frame'
import type { Message } from '../../src/wire/message'
import { bytesOf, encoded } from '../support/frame-bytes'
import { helloFields } from '../support/raw-peer'
import { Finding } from './finding'
import type { Random } from './random'

const FRAME_LIMIT = 1024 * 1024

const OURS = helloFields({ name: 'host', id: '0000000000000' })

/** The result of reading, and the reason of the violation that ended it. */
interface Outcome<Result> {
  readonly result: Result | undefined
  readonly violation: string | undefined
}

/** Reads a stream in several ways, which must all agree. */
export function read(stream: Buffer, random: Random): void {
  const whole = framesOf(stream, () => stream.length)
  for (const sizeOf of [() => 1 + random.below(64), () => 1]) {
    if (sizeOf() === 1 && stream.length > 20_000) continue
    check(same(framesOf(stream, sizeOf), whole), 'expected the same frames, however the stream is cut')
  }
  const decoder = new EventDecoder()
  for (const [start, end] of whole.result ?? []) readMessage(stream, start, end, decoder)
}

/** The positions of all frame bodies that were read. */
function framesOf(stream: Buffer, sizeOf: () => number): Outcome<[number, number][]> {
  const bodies: [number, number][] = []
  let at = 0
  const reader = new FrameReader(FRAME_LIMIT, (bytes, start, end) => {
    check(stream.compare(bytes, start, end, at + 4, at + 4 + end - start) === 0, 'expected the bytes of the stream')
    bodies.push([at + 4, at + 4 + end - start])
    at += 4 + end - start
  })
  const { violation } = outcomeOf(() => {
    for (let offset = 0; offset < stream.length; ) {
      const chunk = Buffer.from(stream.subarray(offset, offset + sizeOf()))
      reader.push(chunk)
      offset += chunk.length
    }
  })
  check(reader.heldBytes <= stream.length, 'expected no more to be held than has come')
  return { result: bodies, violation }
}

function readMessage(bytes: Buffer, start: number, end: number, decoder: EventDecoder): void {
  const { result: message, violation } = outcomeOf(() => decodeNextMessage(bytes, start, end, decoder.shapes))
  const event = outcomeOf(() => {
    if (!decoder.readPreamble(bytes, start, end)) return undefined
    return { kind: 'event' as const, type: decoder.type, payload: decoder.payload(bytes, end) }
  })
  if (event.result || event.violation) {
    check(
      same(event, { result: message, violation }),
      'expected an event to be read alike, with its header or as a whole',
    )
  }
  if (!message) return
  check(same(message, message), 'expected a message to be equal to itself')
  checkRewritten(message)
  if (message.kind === 'shape') outcomeOf(() => decoder.shapes.add(message.keys))
  if (message.kind !== 'hello') return
  const { result: agreement } = outcomeOf(() => agree(OURS, message, undefined))
  const isSound = agreement === undefined || agreement.sendLimit >= HANDSHAKE_FRAME_BYTES
  check(isSound, 'expected an agreement on frames of a size that both sides take')
  outcomeOf(() => agree(OURS, message, { name: 'expected', id: OURS.id }))
}

/** Checks that a decoded message encodes and decodes to the same message. */
function checkRewritten(message: Message): void {
  const { result: frame } = outcomeOf(() => encodeMessage(message), UnserializablePayload)
  if (!frame) return
  const again = decodeMessage(frame.bytes, frame.start + 4, frame.end)
  check(same(again, message), 'expected the same message when written again')
  check(encoded(again).equals(bytesOf(frame)), 'expected the same bytes when written twice')
}

/**
 * Normalizes values that are the same on the wire: there is one zero, and invalid dates are equal.
 *
 * @throws Finding for an instance of anything that two peers haven't agreed on
 */
function comparable(value: unknown): unknown {
  if (value === 0) return 0
  if (value instanceof Date) return { date: value.getTime() }
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value
  if (Array.isArray(value)) return value.map(comparable)
  check(Object.getPrototypeOf(value) === Object.prototype, 'expected nothing but plain objects')
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, comparable(child)]))
}

/** Any error other than a protocol violation, or of the given class, is a finding. */
function outcomeOf<Result>(call: () => Result, ...others: (new (message: string) => Error)[]): Outcome<Result> {
  try {
    return { result: call(), violation: undefined }
  } catch (error) {
    if (error instanceof ProtocolViolation) return { result: undefined, violation: error.reason }
    if (error instanceof Finding) throw error
    if (others.some((other) => error instanceof other)) return { result: undefined, violation: undefined }
    throw new Finding(`expected a violation of the protocol at most, got ${error}`, error)
  }
}

/** Deep equality. Values nested too deep to compare count as equal. */
function same(one: unknown, other: unknown): boolean {
  try {
    return isDeepStrictEqual(comparable(one), comparable(other))
  } catch (error) {
    if (error instanceof RangeError) return true
    throw error
  }
}

function check(holds: boolean, expected: string): void {
  if (!holds) throw new Finding(expected)
}
