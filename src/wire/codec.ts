import { Packr } from 'msgpackr/index-no-eval'
import { PayloadTooLarge } from '../model/errors'
import { MAX_FRAME_BYTES } from '../model/limits'
import { type Frame, PREFIX_BYTES } from './frame'
import { type Assignment, fromElements, KIND_CODES, type Message, toElements } from './message'
import { MessagePool } from './message-pool'
import { FIXARRAY_4, FIXARRAY_6, STR_8 } from './msgpack-format'
import { MAX_DEPTH } from './packed-value'
import { measured, packMessage } from './packer'
import type { ToldShapes } from './told-shapes'
import { unpack, unpackNext } from './unpacker'

/** A payload is an element of its message. */
const MAX_LEVELS = MAX_DEPTH + 1

/** Writes maps in their shortest format. */
const control = new Packr({ useRecords: false, variableMapSize: true })

/** Undefined while it is used: a getter of a payload may send another message. */
let pool: MessagePool | undefined = new MessagePool()

/**
 * Encodes a message other than an event.
 *
 * @param limit largest size of the frame's body, in bytes
 * @param plainFor the name of a receiver that takes no integers over 64 bits
 * @throws UnserializablePayload, PayloadTooLarge
 */
export function encodeMessage(message: Message, limit = MAX_FRAME_BYTES, plainFor?: string): Frame {
  const elements = toElements(message)
  const taken = 'payload' in message ? pool : undefined
  if (taken) pool = undefined
  try {
    const packed = holdsForeign(message)
      ? packMessage(elements, limit, plainFor, taken?.after(PREFIX_BYTES))
      : packControl(elements)
    const { bytes, start, end } = packed
    if (end - start > limit) throw tooLarge(message, end - start, limit)
    if (taken && bytes === taken.bytes) {
      taken.occupy(end)
      return framed(bytes, start - PREFIX_BYTES, end)
    }
    const copy = Buffer.allocUnsafe(PREFIX_BYTES + end - start)
    copy.set(bytes.subarray(start, end), PREFIX_BYTES)
    return framed(copy, 0, copy.length)
  } finally {
    if (taken) pool = taken
  }
}

function framed(bytes: Buffer, start: number, end: number): Frame {
  bytes.writeUInt32BE(end - start - PREFIX_BYTES, start)
  return { bytes, start, end }
}

function tooLarge(message: Message, length: number, limit: number): PayloadTooLarge {
  const excess = `takes ${measured(length, limit)} encoded, but limits.frameBytes is ${limit} here or at the receiver`
  const subject = 'type' in message ? `${message.kind} ${message.type}` : message.kind
  return new PayloadTooLarge(`${subject}: ${excess}; send less, or raise the limit of both`)
}

/** Whether a message holds values or texts of the program, which may have no form on the wire, or only a long one. */
function holdsForeign(message: Message): boolean {
  return 'payload' in message || message.kind === 'failure' || message.kind === 'goodbye'
}

function packControl(elements: readonly unknown[]): { bytes: Buffer; start: number; end: number } {
  const bytes = control.pack(elements)
  return { bytes, start: 0, end: bytes.length }
}

/** Is the frame at `start`, encoded by this endpoint, an assignment? */
export function isAssignment(bytes: Buffer, start: number): boolean {
  const elements = bytes[start + PREFIX_BYTES] ?? 0
  return elements >= FIXARRAY_4 && elements <= FIXARRAY_6 && bytes[start + PREFIX_BYTES + 1] === KIND_CODES.assign
}

/** The type of an event, or of an assignment, that this endpoint has encoded. */
export function eventTypeIn({ bytes, start }: Frame): string {
  const first = start + PREFIX_BYTES + 2
  const at = isAssignment(bytes, start) ? textEnd(bytes, first) : first
  return bytes.toString('utf8', at + ((bytes[at] ?? 0) === STR_8 ? 2 : 1), textEnd(bytes, at))
}

/** Where a text of up to 255 bytes ends, in its shortest format. */
function textEnd(bytes: Buffer, at: number): number {
  const head = bytes[at] ?? 0
  return head === STR_8 ? at + 2 + (bytes[at + 1] ?? 0) : at + 1 + (head & 0x1f)
}

/** Decodes the frame of an assignment. */
export function assignmentOf({ bytes, start, end }: Frame): Assignment {
  const message = decodeMessage(bytes, start + PREFIX_BYTES, end)
  if (message.kind === 'assign') return message
  throw new TypeError(`the frame is not an assignment but of kind ${message.kind}`)
}

/** Decodes the body of a frame. @throws ProtocolViolation if it isn't a valid message */
export function decodeMessage(bytes: Buffer, start: number, end: number): Message {
  return fromElements(unpack(bytes, start, end, MAX_LEVELS))
}

/** The same for one of several in a chunk, which must not change until `forgetChunk`. */
export function decodeNextMessage(chunk: Buffer, start: number, end: number, shapes?: ToldShapes): Message {
  return fromElements(unpackNext(chunk, start, end, MAX_LEVELS, false, shapes))
}
