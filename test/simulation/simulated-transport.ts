import { type Address, fileNameOf } from '../../src/platform/address'
import type { Connection, DialOutcome, Listener, SocketInfo, Transport, Watch } from '../../src/platform/transport'
import type { Handle, Host } from './host'
import type { Listening, Network } from './network'
import { SimulatedConnection } from './simulated-connection'

/** The sockets and files of a simulated process. Each call takes a while, and takes effect in between. */
export class SimulatedTransport implements Transport {
  readonly location = '/simulated'
  readonly #network: Network
  readonly #host: Host

  constructor(network: Network, host: Host) {
    this.#network = network
    this.#host = host
  }

  open(): Promise<void> {
    return this.#call(() => {})
  }

  async publish(self: Address, accept: (connection: Connection) => void): Promise<Listener> {
    const socket = new PublishedSocket(this.#network, this.#host, self, accept, (effect) => this.#call(effect))
    await socket.republish()
    return socket
  }

  scan(): Promise<Address[]> {
    return this.#call(() => this.#network.addresses)
  }

  inspect(address: Address): Promise<SocketInfo | undefined> {
    return this.#call(() =>
      this.#network.fileOf(address) ? { key: fileNameOf(address), isForeign: false } : undefined,
    )
  }

  async dial(address: Address): Promise<DialOutcome> {
    const answer = await this.#call(() => this.#network.dial(this.#host, address))
    if (answer instanceof SimulatedConnection) return { kind: 'connected', connection: answer }
    return answer === 'busy' ? { kind: 'busy', cause: new Error('connect EAGAIN') } : { kind: answer }
  }

  remove(address: Address): Promise<void> {
    return this.#call(() => this.#network.remove(address))
  }

  watch(hint: () => void): Watch {
    return { stop: this.#network.watch(this.#host, hint) }
  }

  /** A system call: it takes a while, takes effect, and takes a while to return. */
  #call<Result>(effect: () => Result): Promise<Result> {
    const { faults } = this.#network
    return new Promise((resolve) => {
      this.#host.schedule(faults.delay(), () => {
        const result = effect()
        this.#host.schedule(faults.delay(), () => resolve(result))
      })
    })
  }
}

/** Like a real listener, it publishes its file again under the same address. */
class PublishedSocket implements Listener, Handle {
  readonly #network: Network
  readonly #host: Host
  readonly #self: Address
  readonly #accept: (connection: Connection) => void
  readonly #call: <Result>(effect: () => Result) => Promise<Result>
  #listening: Listening | undefined
  #publishing: Promise<void> = Promise.resolve()
  #isWithdrawn = false

  constructor(
    network: Network,
    host: Host,
    self: Address,
    accept: (connection: Connection) => void,
    call: <Result>(effect: () => Result) => Promise<Result>,
  ) {
    this.#network = network
    this.#host = host
    this.#self = self
    this.#accept = accept
    this.#call = call
  }

  isPublished(): Promise<boolean> {
    return this.#call(() => this.#isOurs)
  }

  async republish(): Promise<void> {
    if (this.#isWithdrawn) return
    this.#publishing = this.#listen()
    await this.#publishing
  }

  async withdraw(): Promise<void> {
    this.#isWithdrawn = true
    await this.#publishing
    this.release()
    if (await this.isPublished()) await this.#call(() => this.#network.remove(this.#self))
  }

  /** Simulated processes end when they are told to. */
  keepAlive(): void {}

  /** Stops listening. */
  release(): void {
    if (this.#listening) this.#listening.isOpen = false
    this.#host.closed(this)
  }

  get #isOurs(): boolean {
    return this.#listening !== undefined && this.#network.fileOf(this.#self) === this.#listening
  }

  async #listen(): Promise<void> {
    this.release()
    await this.#call(() => {
      const listening = { host: this.#host, accept: this.#accept, isOpen: true }
      this.#listening = listening
      this.#host.opened(this)
      this.#network.publish(this.#self, listening)
    })
  }
}
