import type { LahjaError } from '../model/errors'
import type { Address } from './address'

/** Callbacks of a connection, called from `attach` on. `closed` is the last one. */
export interface ConnectionEvents {
  /** The chunk is only valid during the call. */
  readonly data: (chunk: Buffer) => void
  /** The peer has ended its side of the stream; writes still reach it. */
  readonly end: () => void
  readonly closed: (cause: Error | undefined) => void
}

/** A duplex byte stream. */
export interface Connection {
  /** Starts reading. Called once. */
  attach(events: ConnectionEvents): void
  /**
   * Writes all chunks in one piece. Returns whether they have left this process. If not, `done` is called when they have,
   * and never if the connection breaks first.
   */
  write(chunks: readonly Uint8Array[], done: () => void): boolean
  /** Ends this side of the stream after everything written so far. */
  end(): void
  /**
   * Closes both sides once everything written so far has left, or after `timeout` milliseconds without progress. Doesn't
   * keep the process alive longer than that.
   */
  linger(timeout: number): void
  /** Closes both sides now and drops what has not left. */
  destroy(): void
}

/** A published socket, seen from outside. */
export interface SocketInfo {
  /** The same for all addresses of one socket: anyone can link a socket of their own under other names. */
  readonly key: string
  /** Whether it belongs neither to this process's user nor to root. */
  readonly isForeign: boolean
}

/** The result of a dial. */
export type DialOutcome =
  | { readonly kind: 'connected'; readonly connection: Connection }
  /** Proof that its process has ended or closed it: the address is never listened at again. */
  | { readonly kind: 'dead' }
  /** The address is no longer published. */
  | { readonly kind: 'absent' }
  /** This process may not dial it. */
  | { readonly kind: 'denied'; readonly cause: LahjaError }
  /** It doesn't take connections for now, as its backlog is full: try again later. */
  | { readonly kind: 'busy'; readonly cause: Error }
  /** This process can't dial for now, as it has no free descriptor. That says nothing about the address. */
  | { readonly kind: 'exhausted'; readonly cause: Error }

/** This endpoint's listening socket. */
export interface Listener {
  /** Can other endpoints still find its address? */
  isPublished(): Promise<boolean>
  /** Listens and publishes again, after the address was removed. */
  republish(): Promise<void>
  /** Removes the address and accepts no more connections. */
  withdraw(): Promise<void>
  /** Whether it keeps the process alive. It does at first; connections never do. */
  keepAlive(isWanted: boolean): void
}

/** A running watch. */
export interface Watch {
  stop(): void
}

/** Sockets and files. The core has no other access to them, so that tests and the simulation can replace both. */
export interface Transport {
  /** Where the bus is, for error messages. */
  readonly location: string
  /**
   * Creates the bus if necessary.
   *
   * @param self an address to publish there
   * @throws DirectoryRefused if it isn't safe; PathTooLong for that address, before anything is created
   */
  open(self?: Address): Promise<void>
  /** Listens, then publishes the address, so that an address that is found can be dialled. */
  publish(self: Address, accept: (connection: Connection) => void): Promise<Listener>
  /** Every published address. @throws DirectoryRefused if the bus can't be read or isn't safe any more */
  scan(): Promise<Address[]>
  /** Looks at an address without dialling it. Undefined if it is no longer published. */
  inspect(address: Address): Promise<SocketInfo | undefined>
  dial(address: Address): Promise<DialOutcome>
  /** Removes an address that a dial has proved dead. */
  remove(address: Address): Promise<void>
  /** Calls `onChange` when addresses may have changed. May miss changes; may never call it. */
  watch(onChange: () => void): Watch
}
