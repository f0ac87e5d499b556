import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { encodeMessage } from '../../src/wire/codec'
import type { Message } from '../../src/wire/message'
import { bytesOf } from '../support/frame-bytes'
import { bigint, messages, payload, type } from '../support/message-arbitraries'
import { messageVectors, payloadVectors } from '../support/vectors'

/** Files with streams of frames in hexadecimal digits: recorded sessions and past failures. */
const DIRECTORY = join(__dirname, 'corpus')

/** A stream of the committed corpus. */
export interface Specimen {
  readonly name: string
  readonly bytes: Buffer
}

/** The committed corpus and vectors. */
export function specimens(): readonly Specimen[] {
  const files = readdirSync(DIRECTORY).map((name) => ({ name, digits: readFileSync(join(DIRECTORY, name), 'utf8') }))
  const vectors = [...messageVectors, ...payloadVectors].map(({ name, hex }) => ({ name, digits: hex }))
  return [...files, ...vectors].map(({ name, digits }) => ({
    name,
    bytes: Buffer.from(digits.replaceAll(/#.*$|\s/gm, ''), 'hex'),
  }))
}

/** Random frames of every kind of message. */
export function inventions(seed: number, count: number): readonly Buffer[] {
  const list = fc.array(fc.oneof(bigint, payload), { maxLength: 4 })
  const withBigints = fc.record({ kind: fc.constant('event' as const), type, payload: list })
  const anyMessage = fc.oneof(...Object.values<fc.Arbitrary<Message>>(messages), withBigints)
  return fc.sample(anyMessage, { seed, numRuns: count }).map((message) => bytesOf(encodeMessage(message)))
}
