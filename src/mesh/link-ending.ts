import type { Remainder } from '../channel/outbox'
import {
  ConnectionFailed,
  type LahjaError,
  LinkError,
  LinkRefused,
  ProtocolViolation,
  Unauthenticated,
} from '../model/errors'
import type { Message } from '../wire/message'

/** The peer said goodbye after it had sent everything. */
export interface LeftEnding extends Remainder {
  readonly kind: 'left'
}

/** The link broke. */
export interface LostEnding extends Remainder {
  readonly kind: 'lost'
  readonly cause: LahjaError
}

/** How a link ended. */
export type LinkEnding =
  | LeftEnding
  /** We left, and the peer has read everything or was given up. */
  | { readonly kind: 'done'; readonly wasRead: boolean }
  /** It never came up: one side refused it, or it broke before. */
  | { readonly kind: 'refused'; readonly cause: LahjaError; readonly reason: string }
  | LostEnding

/** The ending of a link that failed. */
export function failure(wasUp: boolean, cause: LahjaError, remainder: Remainder): LinkEnding {
  if (wasUp) return { kind: 'lost', cause, ...remainder }
  return { kind: 'refused', cause, reason: reasonOf(cause) ?? 'disconnected' }
}

/** Reasons that apply to the next attempt as well. */
const LASTING = [
  'version-mismatch',
  'too-many-interests',
  'malformed',
  'wrong-peer',
  'unexpected-message',
  'frame-too-large',
  'frame-empty',
  'unauthenticated',
]

/** Whether another attempt would end the same way. */
export function isHopeless(ending: LinkEnding): boolean {
  return 'cause' in ending && LASTING.includes(reasonOf(ending.cause) ?? '')
}

/** The protocol's reason, if one side gave one. */
function reasonOf(cause: LahjaError): string | undefined {
  return cause instanceof LinkError ? cause.reason : undefined
}

/** For a goodbye other than that of a peer that leaves. Its text may begin with the reason, as messages of errors do. */
export function dismissal(reason: string, text: string): LahjaError {
  const prefix = `${reason}: `
  const rest = text.startsWith(prefix) ? text.slice(prefix.length) : text
  if (reason !== 'unauthenticated') return new LinkRefused(reason, rest)
  return new Unauthenticated(`the peer refused the link, start both with the same secret; its goodbye: ${rest}`)
}

/** Whether a link ended when all had been read that the peer had written: not when a write failed, or a message was wrong. */
export function endedInReading(error: LahjaError): boolean {
  if (!(error instanceof ConnectionFailed)) return false
  const { cause } = error
  return cause === undefined || (cause instanceof Error && 'syscall' in cause && cause.syscall === 'read')
}

/** For a stream that ends without a goodbye. */
export function endOfStream(heldBytes: number): LahjaError {
  if (heldBytes === 0) return new ConnectionFailed('the peer closed the connection without a goodbye')
  const what = `${heldBytes} bytes of its next message had come`
  return new ConnectionFailed(`the peer closed the connection within a message, as a process that exits does: ${what}`)
}

/** For a message that the protocol does not allow in this state of the link. */
export function unexpected(message: Message, state: string): ProtocolViolation {
  return new ProtocolViolation('unexpected-message', `a message of kind ${message.kind} came in state ${state}`)
}
