/**
 * Everything this package throws, rejects with or reports is a `LahjaError`. The class names the cause, `code` is its
 * stable name for programs, the message says what was expected and what came.
 */
export abstract class LahjaError extends Error {
  abstract readonly code: string

  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = new.target.name
  }
}

/** An argument or option that can't be used. */
export class InvalidArgument extends LahjaError {
  readonly code = 'LAHJA_INVALID_ARGUMENT'
}

/** The bus directory can't be trusted, created or read. */
export class DirectoryRefused extends LahjaError {
  readonly code = 'LAHJA_DIRECTORY_REFUSED'
}

/** A socket path would not fit into `sockaddr_un.sun_path` (unix(7)), where longer paths are cut off silently. */
export class PathTooLong extends LahjaError {
  readonly code = 'LAHJA_PATH_TOO_LONG'
}

/** Another live endpoint of the bus holds the name. */
export class NameInUse extends LahjaError {
  readonly code = 'LAHJA_NAME_IN_USE'
}

/** The endpoint is closing or closed. */
export class EndpointClosed extends LahjaError {
  readonly code = 'LAHJA_ENDPOINT_CLOSED'
}

/** `close()` reached its deadline with events still waiting for peers that did not read. */
export class CloseTimeout extends LahjaError {
  readonly code = 'LAHJA_CLOSE_TIMEOUT'
  /** Events not delivered, by peer name. */
  readonly undelivered: ReadonlyMap<string, number>

  constructor(message: string, undelivered: ReadonlyMap<string, number>) {
    super(message)
    this.undelivered = undelivered
  }
}

/** A broadcast that requires a subscriber, a request, or an event that a queue's member gave back found nobody. */
export class NoSubscribers extends LahjaError {
  readonly code = 'LAHJA_NO_SUBSCRIBERS'
}

/** The payload holds something that has no form on the wire; the message names where. */
export class UnserializablePayload extends LahjaError {
  readonly code = 'LAHJA_UNSERIALIZABLE_PAYLOAD'
}

/** The encoded event is larger than the frame limit, this endpoint's own or a receiver's. */
export class PayloadTooLarge extends LahjaError {
  readonly code = 'LAHJA_PAYLOAD_TOO_LARGE'
}

/** What a schema has found wrong with a payload, in its own words. */
export interface PayloadIssue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

/** A payload doesn't fit the schema of its definition. */
export class InvalidPayload extends LahjaError {
  readonly code = 'LAHJA_INVALID_PAYLOAD'
  readonly issues: readonly PayloadIssue[]

  constructor(message: string, issues: readonly PayloadIssue[], options?: ErrorOptions) {
    super(message, options)
    this.issues = issues
  }
}

/** An event or request came from where the boundary of its type, or what the endpoint accepts, doesn't let it in. */
export class BoundaryCrossed extends LahjaError {
  readonly code = 'LAHJA_BOUNDARY_CROSSED'
}

/** The endpoint responds to the type already. */
export class AlreadyResponding extends LahjaError {
  readonly code = 'LAHJA_ALREADY_RESPONDING'
}

/** What a responder threw, as far as it tells. */
export interface RemoteFailure {
  readonly name: string
  readonly message: string
  readonly code?: string | undefined
  /** Only where the responder sends it. */
  readonly stack?: string | undefined
}

/** The responder threw, or could not send what it answered. */
export class RemoteError extends LahjaError {
  readonly code = 'LAHJA_REMOTE_ERROR'
  /** The responder's name. */
  readonly origin: string
  readonly remote: RemoteFailure

  constructor(message: string, origin: string, remote: RemoteFailure) {
    super(`${message}: ${remote.name}: ${remote.message}`)
    this.origin = origin
    this.remote = remote
  }
}

/** No response came within the request's `timeout`. */
export class RequestTimeout extends LahjaError {
  readonly code = 'LAHJA_REQUEST_TIMEOUT'
}

/** The responder's link ended before it had responded; whether it has handled the request is unknown. */
export class RemoteDisconnected extends LahjaError {
  readonly code = 'LAHJA_REMOTE_DISCONNECTED'
}

/** The response doesn't fit the definition's schema; what the schema says is the `cause`. */
export class UnexpectedResponse extends LahjaError {
  readonly code = 'LAHJA_UNEXPECTED_RESPONSE'
}

/** A wait reached its `timeout`. */
export class WaitTimeout extends LahjaError {
  readonly code = 'LAHJA_WAIT_TIMEOUT'
}

/** A wait ended by its `signal`; the signal's reason is the `cause`. */
export class AbortError extends LahjaError {
  readonly code = 'LAHJA_ABORTED'
}

/** A subscription's handler threw or rejected; what it threw is the `cause`. */
export class HandlerError extends LahjaError {
  readonly code = 'LAHJA_HANDLER_ERROR'
}

/** A connection could not be made or went wrong below the protocol; the system's error is the `cause`. */
export class ConnectionFailed extends LahjaError {
  readonly code = 'LAHJA_CONNECTION_FAILED'
}

/** A peer ended the link, or would not take it up, and said why. */
export class LinkRefused extends LahjaError {
  readonly code = 'LAHJA_LINK_REFUSED'
  /** The peer's word for it, as docs/protocol.md lists them. */
  readonly reason: string

  constructor(reason: string, message: string) {
    super(`${reason}: ${message}`)
    this.reason = reason
  }
}

/** One of two has not proved to the other that it knows the secret; neither the secret nor a proof is told. */
export class Unauthenticated extends LahjaError {
  readonly code = 'LAHJA_UNAUTHENTICATED'
  /** The word for it that the other is told. */
  readonly reason = 'unauthenticated'

  constructor(message: string, options?: ErrorOptions) {
    super(`unauthenticated: ${message}`, options)
  }
}

/** A peer's outbox was at its cap, and the event's policy was to disconnect it. */
export class OutboxOverflow extends LahjaError {
  readonly code = 'LAHJA_OUTBOX_OVERFLOW'
}

/** The names under which a link is closed for what its peer sent, or failed to send. */
export type ViolationReason =
  | 'frame-too-large'
  | 'frame-empty'
  | 'frame-cut-off'
  | 'malformed'
  | 'unexpected-message'
  | 'window-exceeded'
  | 'wrong-peer'
  | 'version-mismatch'
  | 'handshake-timeout'
  | 'too-many-handshakes'

/** A peer broke the protocol: its link, and only that, is closed. */
export class ProtocolViolation extends LahjaError {
  readonly code = 'LAHJA_PROTOCOL_VIOLATION'
  readonly reason: ViolationReason

  constructor(reason: ViolationReason, message: string, options?: ErrorOptions) {
    super(`${reason}: ${message}`, options)
    this.reason = reason
  }
}

/** Says what came in the words of an "expected X, got Y" message. */
export function describe(value: unknown): string {
  if (typeof value === 'string') return value.length > 80 ? `'${value.slice(0, 80)}…'` : `'${value}'`
  if (typeof value === 'function') return `a function${value.name ? ` (${value.name})` : ''}`
  if (typeof value === 'bigint') return `${value}n`
  if (Array.isArray(value)) return `an array of ${value.length}`
  if (value === null || typeof value !== 'object') return String(value)
  const name = Object.getPrototypeOf(value)?.constructor?.name
  return typeof name === 'string' && name !== 'Object' ? `an instance of ${name}` : 'an object'
}

/** Whatever was thrown on the bus there, as an error of this package. */
export function asDirectoryError(location: string, thrown: unknown): LahjaError {
  if (thrown instanceof LahjaError) return thrown
  const cause = asError(thrown)
  return new DirectoryRefused(`${location}: ${cause.message}`, { cause })
}

/** Whatever was thrown, as an `Error`. */
export function asError(thrown: unknown): Error {
  if (thrown instanceof Error) return thrown
  return new Error(typeof thrown === 'string' ? thrown : describe(thrown), { cause: thrown })
}

/** The name of a system's error, such as `ENOENT`. */
export function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
