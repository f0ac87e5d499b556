/** The bounds of one endpoint, all of them options of `Endpoint.start`. Sizes in bytes, times in milliseconds. */
export interface Limits {
  /** Body of a frame, sent or received. Default 1 MiB, at most 64 MiB. */
  readonly frameBytes: number
  /** From a connection to the end of its handshake. Default 10 s. */
  readonly handshakeTimeout: number
  /** Incoming connections that have not finished a handshake; the oldest goes when one too many comes. Default 64. */
  readonly pendingHandshakes: number
  /** Queued for one peer, from which on `broadcast` waits and `broadcastNowait` says false. Default 1 MiB. */
  readonly highWaterMark: number
  /** Queued for one peer at most. Default 8 MiB. */
  readonly outboxBytes: number
  /**
   * Memory that what is queued for all peers together holds at most; what several wait for counts once. A peer for which
   * as much waits that can not be dropped (answers, acknowledgements, requests) is disconnected. Default 256 MiB.
   */
  readonly outboxTotalBytes: number
  /** Of a peer's events that this endpoint has received and not done with, from which on the peer waits. Default 1 MiB. */
  readonly windowBytes: number
  /** How long a `broadcast` waits for a slow peer before it is `lagging`, and nobody waits for it. Default 1 s. */
  readonly patience: number
  /** Requests to one peer that wait for its response at a time; more wait their turn. Default 1,024. */
  readonly pendingRequests: number
  /** The least and the most of the redial delay, whose full jitter doubles from one to the other. Default 50 and 5,000. */
  readonly redialMin: number
  readonly redialMax: number
  /** Between two looks at the directory. Default 1 s. */
  readonly rescanInterval: number
  /** Between two looks for silent peers, which are then asked for a sign of life. Default 5 s. */
  readonly pingInterval: number
  /** Of silence, in pings, before a peer is `unresponsive`. Default 3, which is 15 s. */
  readonly silentPings: number
}

export const DEFAULT_LIMITS: Limits = {
  frameBytes: 1024 * 1024,
  handshakeTimeout: 10_000,
  pendingHandshakes: 64,
  highWaterMark: 1024 * 1024,
  outboxBytes: 8 * 1024 * 1024,
  outboxTotalBytes: 256 * 1024 * 1024,
  windowBytes: 1024 * 1024,
  patience: 1000,
  pendingRequests: 1024,
  redialMin: 50,
  redialMax: 5000,
  rescanInterval: 1000,
  pingInterval: 5000,
  silentPings: 3,
}

/** Whatever `frameBytes` is set to, it is at most this. */
export const MAX_FRAME_BYTES = 64 * 1024 * 1024

/** Body of a frame before the handshake, when nothing is known of who sends it. */
export const HANDSHAKE_FRAME_BYTES = 4096

/** Control messages that wait for one peer may take as much as `outboxTotalBytes`, and this much even where that is less. */
export const MIN_CONTROL_BYTES = 64 * 1024 * 1024
