/**
 * The bounds of one endpoint: the option `limits` of `Endpoint.start`. Names that end in `Bytes`, and `highWaterMark`, are
 * bytes; `patience` and names that end in `Timeout`, `Interval`, `Min` or `Max` are milliseconds; `slowShare` is a part of 1;
 * the rest are counts.
 */
export interface Limits {
  /**
   * Largest encoded event, request or response, in bytes, to send or to receive. A larger one is not sent: its call
   * rejects with `PayloadTooLarge`, unless other receivers of an event take it. A peer that sends one anyway is disconnected. Default 1 MiB; 4 KiB to 64 MiB.
   */
  readonly frameBytes: number
  /** Milliseconds from the start of a connection to the end of its handshake; after that it is closed. Default 10,000. */
  readonly handshakeTimeout: number
  /**
   * Number of incoming connections without a finished handshake; the oldest is closed for one more. As many dials are
   * made at a time; known peers come first. Default 64.
   */
  readonly pendingHandshakes: number
  /**
   * Queued bytes per peer above which `broadcast` waits, and `broadcastNowait` returns false, with the policy `wait`. Default 1 MiB; at least a
   * frame below `outboxBytes`.
   */
  readonly highWaterMark: number
  /**
   * Largest number of bytes queued per peer. At the limit, the overflow policy decides which events are dropped, or that
   * the peer is disconnected. Default 8 MiB; at least a frame.
   */
  readonly outboxBytes: number
  /**
   * Maximum memory held by everything queued for all peers, in bytes; an event queued for several peers counts once. At
   * the limit, peers that lag or have read nothing for 300 ms lose their oldest events first, then the peer with the most
   * queued bytes. Requests, responses and returned events count, but are never dropped. A peer that leaves this many bytes
   * of control messages unread (acknowledgements, subscriptions, pongs), and at least 64 MiB, is disconnected. Default
   * 256 MiB.
   */
  readonly outboxTotalBytes: number
  /**
   * Bytes of one peer's events that are received and not yet handled. At the limit, the peer sends no more until some
   * are handled. Default 1 MiB.
   */
  readonly windowBytes: number
  /**
   * Milliseconds that `broadcast` waits for a peer that reads nothing. The peer is then `lagging`: until it has caught up,
   * `broadcast` doesn't wait for it. Also the longest that `ready`, `Endpoint.start` and `close` wait for a peer that
   * doesn't answer. Default 1,000.
   */
  readonly patience: number
  /**
   * The largest part of the time for which `broadcast` waits for a peer that reads slowly, measured over ten seconds;
   * beyond it the peer is `lagging`. 0.1: at most a tenth of the time. Default 1: as long as it reads.
   */
  readonly slowShare: number
  /**
   * Number of requests in flight from one endpoint to another; of two different limits the lower one holds. Further
   * requests wait in the asker. Default 1,024.
   */
  readonly pendingRequests: number
  /**
   * Number of subscriptions and responders of an endpoint, this one and each peer; together they may take 1 KiB of memory
   * each. `subscribe` refuses one more, and a peer with more is disconnected. Default 65,536.
   */
  readonly interests: number
  /**
   * Milliseconds to the first redial at most: the delay is random, and its upper bound doubles with each attempt up to
   * `redialMax`. Default 50.
   */
  readonly redialMin: number
  /** Milliseconds between two dials of one peer at most. Default 5,000. */
  readonly redialMax: number
  /** Milliseconds between two scans of the directory. Default 1,000. */
  readonly rescanInterval: number
  /** Milliseconds between two checks for silent peers; a silent peer is pinged. Default 5,000. */
  readonly pingInterval: number
  /**
   * Number of pings in a row that a peer leaves unanswered for `pingInterval` each before it is `unresponsive`. Its link
   * stays up. Default 2: by the default interval, after 15 to 20 s of silence.
   */
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
  slowShare: 1,
  pendingRequests: 1024,
  interests: 65_536,
  redialMin: 50,
  redialMax: 5000,
  rescanInterval: 1000,
  pingInterval: 5000,
  silentPings: 2,
}

/** The largest allowed `frameBytes`. */
export const MAX_FRAME_BYTES = 64 * 1024 * 1024

/** The most events that a member of a queue can have in hand of one sender. */
export const MAX_IN_HAND = 65_536

/** The largest body of a frame before the handshake is complete, when the sender is still unknown. */
export const HANDSHAKE_FRAME_BYTES = 4096

/** Control messages queued for one peer may take `outboxTotalBytes`, and at least this much. */
export const MIN_CONTROL_BYTES = 64 * 1024 * 1024
