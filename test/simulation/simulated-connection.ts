import type { Connection, ConnectionEvents } from '../../src/platform/transport'
import type { Handle, Host } from './host'
import type { NetworkFaults } from './network-faults'
import { failureOf, Pipe } from './pipe'

/** One side of a connection between two simulated processes. It ends like Node's sockets do. */
export class SimulatedConnection implements Connection, Handle {
  readonly host: Host
  /** The process of the other side. */
  readonly other: Host
  readonly #out: Pipe
  #in: Pipe
  #events: ConnectionEvents | undefined
  #state: 'open' | 'closed' = 'open'
  #hasEnded = false
  #hasReadAll = false
  /** How it was closed, if it has no listener yet. */
  #early: { readonly cause: Error | undefined } | undefined

  private constructor(host: Host, other: Host, faults: NetworkFaults) {
    this.host = host
    this.other = other
    this.#out = new Pipe(
      { writer: host, reader: other, failed: (cause) => this.#close(cause), ended: () => this.#ended() },
      faults,
    )
    this.#in = this.#out
    host.opened(this)
  }

  /** The two sides of a new connection. */
  static pair(one: Host, other: Host, faults: NetworkFaults): [SimulatedConnection, SimulatedConnection] {
    const sides: [SimulatedConnection, SimulatedConnection] = [
      new SimulatedConnection(one, other, faults),
      new SimulatedConnection(other, one, faults),
    ]
    const [first, second] = sides
    first.#in = second.#out
    second.#in = first.#out
    return sides
  }

  get isOpen(): boolean {
    return this.#state === 'open'
  }

  attach(events: ConnectionEvents): void {
    this.#events = events
    if (this.#early) return this.#tellClosed(this.#early.cause)
    this.#in.readBy({
      data: (chunk) => this.#state === 'open' && events.data(chunk),
      end: (cause) => this.#end(cause),
    })
  }

  write(chunks: readonly Uint8Array[], done: () => void): boolean {
    return this.#state === 'open' && this.#out.write(chunks, done)
  }

  end(): void {
    if (this.#state === 'open') this.#out.end()
  }

  linger(limit: number): void {
    this.host.unref(this)
    this.#hasReadAll = true
    if (this.#hasEnded) return this.#close(undefined)
    this.end()
    this.#watch(limit, this.#out.unwritten)
  }

  destroy(): void {
    this.#close(undefined)
  }

  /** The process has died: the kernel closes for it. */
  release(): void {
    this.#state = 'closed'
    this.#shut()
  }

  poll(): void {
    if (this.#state === 'open') this.#in.poll()
  }

  /** Delivers nothing in this direction before that time. */
  stall(until: number): void {
    this.#in.stall(until)
  }

  /** Breaks both directions, in the middle of what is being written. */
  cut(): void {
    for (const pipe of [this.#in, this.#out]) pipe.cut(failureOf('read', 'ECONNRESET'))
  }

  /** Closes after this many milliseconds without progress. */
  #watch(limit: number, before: number): void {
    this.host.schedule(limit, () => {
      const { unwritten } = this.#out
      if (unwritten === before) this.#close(undefined)
      else this.#watch(limit, unwritten)
    })
  }

  #end(cause: Error | undefined): void {
    if (this.#state === 'closed') return
    if (cause) return this.#close(cause)
    this.#hasReadAll = true
    this.#events?.end()
    if (this.#hasEnded) this.#close(undefined)
  }

  #ended(): void {
    this.#hasEnded = true
    if (this.#hasReadAll) this.#close(undefined)
  }

  #close(cause: Error | undefined): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    this.#shut()
    if (this.#events) this.#tellClosed(cause)
    else this.#early = { cause }
  }

  #shut(): void {
    this.host.closed(this)
    this.#out.closeWriter(this.#in.hasUnread ? failureOf('read', 'ECONNRESET') : undefined)
    this.#in.closeReader()
  }

  #tellClosed(cause: Error | undefined): void {
    this.host.schedule(0, () => this.#events?.closed(cause))
  }
}
