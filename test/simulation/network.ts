import { type Address, fileNameOf } from '../../src/platform/address'
import type { Connection } from '../../src/platform/transport'
import type { Handle, Host } from './host'
import type { NetworkFaults } from './network-faults'
import { SimulatedConnection } from './simulated-connection'

/** A listener at a socket file. */
export interface Listening {
  readonly host: Host
  readonly accept: (connection: Connection) => void
  isOpen: boolean
}

interface SocketFile {
  readonly address: Address
  readonly listening: Listening
}

interface Watcher extends Handle {
  readonly host: Host
  readonly hint: () => void
}

/** The kernel's answer to a dial. */
export type Answer = 'absent' | 'dead' | 'busy' | SimulatedConnection

/** The directory and all connections of the simulated processes. */
export class Network {
  readonly faults: NetworkFaults
  readonly #files = new Map<string, SocketFile>()
  readonly #watchers = new Set<Watcher>()
  readonly #connections = new Set<SimulatedConnection>()

  constructor(faults: NetworkFaults) {
    this.faults = faults
  }

  /** The addresses of the directory, in no particular order, as `readdir` has it. */
  get addresses(): Address[] {
    return [...this.#files.values()].map(({ address }) => address)
  }

  fileOf(address: Address): Listening | undefined {
    return this.#files.get(fileNameOf(address))?.listening
  }

  publish(address: Address, listening: Listening): void {
    this.#files.set(fileNameOf(address), { address, listening })
    this.#changed()
  }

  remove(address: Address): void {
    if (this.#files.delete(fileNameOf(address))) this.#changed()
  }

  watch(host: Host, hint: () => void): () => void {
    const release = () => {
      this.#watchers.delete(watcher)
      host.closed(watcher)
    }
    const watcher: Watcher = { host, hint, release }
    this.#watchers.add(watcher)
    host.opened(watcher)
    return release
  }

  dial(host: Host, address: Address): Answer {
    const listening = this.fileOf(address)
    if (!listening) return 'absent'
    if (!listening.isOpen) return 'dead'
    if (this.faults.isBusy()) return 'busy'
    const [near, far] = SimulatedConnection.pair(host, listening.host, this.faults)
    for (const side of [near, far]) this.#connections.add(side)
    if (this.faults.failsAccept()) far.destroy()
    else listening.host.schedule(this.faults.delay(), () => this.#accept(listening, far))
    return near
  }

  /** All open connections, both sides of each. */
  connections(): SimulatedConnection[] {
    for (const connection of this.#connections) if (!connection.isOpen) this.#connections.delete(connection)
    return [...this.#connections]
  }

  #accept(listening: Listening, connection: SimulatedConnection): void {
    if (listening.isOpen) listening.accept(connection)
    else connection.destroy()
  }

  #changed(): void {
    for (const { host, hint } of this.#watchers) {
      if (!this.faults.losesHint()) host.schedule(this.faults.delay(), hint)
    }
  }
}
