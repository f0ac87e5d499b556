import type { Broker } from './broker'
import type { PayloadName } from './payload'

export const MODES = ['broadcast', 'request', 'latency', 'mesh', 'queue'] as const

export type Mode = (typeof MODES)[number]

/** A way to pass messages between processes. */
export interface Contender {
  readonly name: string
  /** Versions and settings, for readers of the figures. */
  readonly settings: string
  readonly payloads: readonly PayloadName[]
  readonly modes: readonly Mode[]
  /** Consumers have to be child processes of the sender. */
  readonly isParent?: boolean
  /** The commands that install missing packages and servers. */
  missing?(): readonly string[]
  /** Starts the server that this contender needs; wait for `Broker.ready` before using it. */
  serve?(directory: string): Broker
  join(seat: Seat): Promise<Station>
}

/** Describes one process to a contender. */
export interface Seat {
  readonly name: string
  /** Shared by all processes of a round; absolute, and short enough for socket paths. */
  readonly directory: string
  readonly payload: PayloadName
  readonly mode: Mode
  /** Slow receivers are never given up. */
  readonly isPatient: boolean
}

/** A contender's endpoint in one process. */
export interface Station {
  /** Resolves when the handler gets every payload that the named stations send from then on; in a queue, a share of them. */
  listen(to: readonly string[], handler: (payload: unknown) => void): Promise<void>
  /** Resolves when this many stations listen to this one. */
  untilHeardBy(count: number): Promise<void>
  /** Sends to all listeners, in a queue to one of them. A returned promise means that the next send has to wait for it. */
  send(payload: unknown): Promise<unknown> | undefined
  /** Sends to each listener, behind everything else. Only where `modes` has `queue`. */
  sendToEach?(payload: unknown): Promise<void>
  /** Resolves when everything sent has been written. */
  flush(): Promise<void>
  /** Asks one of the stations that respond. Only where `modes` has `request`. */
  request?(payload: unknown): Promise<unknown>
  /** Answers the requests of a station. Only where `modes` has `request`. */
  respond?(to: string, handler: (payload: unknown) => unknown): Promise<void>
  close(): Promise<void>
}
