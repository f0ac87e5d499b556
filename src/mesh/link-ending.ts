import type { Remainder } from '../channel/outbox'
import { ConnectionFailed, type LahjaError, LinkRefused, ProtocolViolation, Unauthenticated } from '../model/errors'

/** The link broke. */
export interface LostEnding extends Remainder {
  readonly kind: 'lost'
  readonly cause: LahjaError
}

/** How a link ended. */
export type LinkEnding =
  /** The peer said goodbye after all it had to say. */
  | { readonly kind: 'left' }
  /** We left, and the peer has read it all, or we gave it up. */
  | { readonly kind: 'done' }
  /** It never came up: one side would not have it, or it broke before. */
  | { readonly kind: 'refused'; readonly cause: LahjaError; readonly reason: string }
  | LostEnding

/** The end of a link that something went wrong with. */
export function failure(wasUp: boolean, cause: LahjaError, remainder: Remainder): LinkEnding {
  if (wasUp) return { kind: 'lost', cause, ...remainder }
  return { kind: 'refused', cause, reason: reasonOf(cause) ?? 'disconnected' }
}

/** The reasons that hold for the next attempt too. */
const LASTING = [
  'version-mismatch',
  'malformed',
  'wrong-peer',
  'unexpected-message',
  'frame-too-large',
  'frame-empty',
  'unauthenticated',
]

/** Would the next link with this peer end like this one? */
export function isHopeless(ending: LinkEnding): boolean {
  if (ending.kind !== 'refused' && ending.kind !== 'lost') return false
  return LASTING.includes(reasonOf(ending.cause) ?? '')
}

/** The name of the reason, where one side has said it. */
function reasonOf(cause: LahjaError): string | undefined {
  const isNamed = cause instanceof ProtocolViolation || cause instanceof LinkRefused || cause instanceof Unauthenticated
  return isNamed ? cause.reason : undefined
}

/** Why a goodbye other than one that leaves is a failure. */
export function dismissal(reason: string, text: string): LahjaError {
  if (reason !== 'unauthenticated') return new LinkRefused(reason, text)
  return new Unauthenticated(`expected the peer to know the same secret, got its goodbye: ${text}`)
}

/** Why a stream that ends without a goodbye is a failure. */
export function endOfStream(heldBytes: number): LahjaError {
  if (heldBytes === 0) return new ConnectionFailed('expected a goodbye, got the end of the stream')
  const got = `the end of the stream after ${heldBytes} bytes of one`
  return new ProtocolViolation('frame-cut-off', `expected a whole frame, got ${got}`)
}

/** Why a handshake that takes more than so many milliseconds is a failure. */
export function lateHandshake(limit: number): ProtocolViolation {
  return new ProtocolViolation('handshake-timeout', `expected a handshake within ${limit} ms`)
}
