import type { Address } from './address'

/** What a connection tells its owner, from `attach` on. After `closed` nothing follows. */
export interface ConnectionEvents {
  readonly data: (chunk: Buffer) => void
  /** The other side will send no more; what we write still reaches it. */
  readonly end: () => void
  readonly closed: (cause: Error | undefined) => void
}

/** A stream of bytes in both directions. */
export interface Connection {
  /** Starts the reading. Called once. */
  attach(events: ConnectionEvents): void
  /**
   * Writes all chunks as one. Returns whether they have left this process; if not, `done` is called when they have, and
   * never if the connection breaks.
   */
  write(chunks: readonly Uint8Array[], done: () => void): boolean
  /** Sends nothing more, once what was written has left. */
  end(): void
  /**
   * Closes both directions as soon as what was written has left, or after so many milliseconds in which nothing of it
   * has. That keeps no process alive for longer.
   */
  linger(limit: number): void
  /** Closes both directions at once; what has not left is dropped. */
  destroy(): void
}

/**
 * How an attempt to reach an address ended. `isForeign`: it was not published by our own user, nor by one who may do
 * everything anyway.
 */
export type DialOutcome =
  | { readonly kind: 'connected'; readonly connection: Connection; readonly isForeign?: boolean }
  /** Proof that its process has ended or given it up: nobody listens, and nobody ever will again. */
  | { readonly kind: 'dead' }
  /** The address is no longer published. */
  | { readonly kind: 'absent' }
  /** No answer just now (a full backlog, a missing descriptor): try again later. */
  | { readonly kind: 'busy'; readonly cause: Error; readonly isForeign?: boolean }

/** The own place on the bus, listening. */
export interface Listener {
  /** Is the address still there for others to find? */
  isPublished(): Promise<boolean>
  /** Listens and publishes anew, after something removed the address. */
  republish(): Promise<void>
  /** Takes the address off the bus and accepts nothing more. */
  withdraw(): Promise<void>
}

/** A running watch. */
export interface Watch {
  stop(): void
}

/** Sockets and files: the only way by which they enter the core. */
export interface Transport {
  /** Where the bus is, for messages. */
  readonly location: string
  /** Makes the bus usable, or says why it can't be trusted. */
  open(): Promise<void>
  /** Listens first, publishes then: whoever finds the address can dial it. */
  publish(self: Address, accept: (connection: Connection) => void): Promise<Listener>
  /** Every address published now. */
  scan(): Promise<Address[]>
  dial(address: Address): Promise<DialOutcome>
  /** Removes the address of a peer that a dial has proved dead. */
  remove(address: Address): Promise<void>
  /** Calls `hint` when the bus may have changed. May miss changes, and may not work at all. */
  watch(onChange: () => void): Watch
}
