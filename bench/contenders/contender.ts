import type { Broker } from './broker'
import type { Mode } from './mode'
import type { PayloadName } from './payload'

/** What carries messages from processes to processes. */
export interface Contender {
  readonly name: string
  /** What it is, with versions and settings, for the reader of its figures. */
  readonly settings: string
  readonly payloads: readonly PayloadName[]
  readonly modes: readonly Mode[]
  /** Do consumers have to be children of the sender? See parent.ts. */
  readonly isParent?: boolean
  /** The commands that install what it needs and is not there; none, where there are none. */
  missing?(): readonly string[]
  /** Starts the server without which it does nothing, where there is one; it has yet to get ready. */
  serve?(directory: string): Broker
  /** Takes a place among the processes that share a directory. */
  join(seat: Seat): Promise<Station>
}

export interface Seat {
  readonly name: string
  /** Absolute, and short enough for paths of sockets in it. */
  readonly directory: string
  readonly payload: PayloadName
  readonly mode: Mode
  /** Is no receiver given up, however slow it is? */
  readonly isPatient: boolean
}

/** One process's place. What is sent goes to all who listen to it. */
export interface Station {
  /** Has a handler called with each payload that the named stations send, from when this resolves. */
  listen(to: readonly string[], handler: (payload: unknown) => void): Promise<void>
  /** Resolves when so many stations listen to this one. */
  untilHeardBy(count: number): Promise<void>
  /** Returns a promise if the sender has to wait before the next, as an application at its fastest would. */
  send(payload: unknown): Promise<unknown> | undefined
  /** Resolves when what was sent is on its way. */
  flush(): Promise<void>
  /** Asks one of those who respond. */
  request(payload: unknown): Promise<unknown>
  respond(to: string, handler: (payload: unknown) => unknown): Promise<void>
  close(): Promise<void>
}
