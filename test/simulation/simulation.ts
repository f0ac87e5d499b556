import type { EndpointOptions } from '../../src'
import type { Core } from './core'
import type { History } from './history'
import { Host } from './host'
import { type Manner, Member } from './member'
import { Network } from './network'
import { FAIR, NetworkFaults } from './network-faults'
import type { Random } from './random'
import { judgedLimits, type RecordFields } from './record'
import type { SimulatedConnection } from './simulated-connection'
import { SimulatedTransport } from './simulated-transport'
import { Timeline } from './timeline'
import { VirtualClock } from './virtual-clock'

/** A member and its process. */
export interface SimulatedProcess {
  readonly member: Member
  readonly host: Host
}

/** A simulated bus with its own time and network, and each endpoint in its own process. */
export class Simulation {
  readonly timeline = new Timeline()
  readonly network: Network
  readonly history: History
  readonly #core: Core
  readonly #random: Random
  readonly #processes: SimulatedProcess[] = []

  constructor(core: Core, random: Random, history: History) {
    this.history = history
    this.#core = core
    this.#random = random
    this.network = new Network(new NetworkFaults(random.fork()))
  }

  /** All processes whose members have not ended. */
  get running(): SimulatedProcess[] {
    return this.#processes.filter(({ member }) => !member.isOver)
  }

  /** All running processes whose members are up. */
  get started(): SimulatedProcess[] {
    return this.#processes.filter(({ member }) => member.isUp)
  }

  start(options: EndpointOptions & { readonly name: string }, manner: Manner): SimulatedProcess {
    const { name, groups = [] } = options
    const host = new Host(this.timeline)
    const label = `${name}#${this.#processes.length + 1}`
    const stage = {
      log: (endpoint: string, said: RecordFields) => this.log(endpoint, said),
      sleep: (milliseconds: number) => new Promise<void>((resolve) => host.schedule(milliseconds, resolve)),
    }
    const member = new Member(label, name, stage, manner)
    const process = { member, host }
    this.#processes.push(process)
    const settings = { ...this.#core.settingsOf(options), pid: this.#processes.length }
    this.log(label, {
      kind: 'starting',
      name,
      groups: [...groups],
      overflow: typeof settings.overflow === 'string' ? settings.overflow : undefined,
      limits: judgedLimits(settings.limits),
    })
    const world = {
      transport: new SimulatedTransport(this.network, host),
      clock: new VirtualClock(host, this.#random.fork()),
    }
    void member.start(() => this.#core.startIn(world, settings))
    return process
  }

  /** Kills the process; the kernel closes its handles. */
  kill({ member, host }: SimulatedProcess): void {
    host.kill()
    member.die()
  }

  freeze({ member, host }: SimulatedProcess): void {
    if (host.isFrozen || host.isDead) return
    host.freeze()
    this.log(member.label, { kind: 'frozen' })
  }

  thaw({ member, host }: SimulatedProcess): void {
    if (!host.isFrozen) return
    host.thaw()
    this.log(member.label, { kind: 'thawed' })
  }

  /** Breaks one of its connections. */
  cut(process: SimulatedProcess): void {
    const connection = this.#random.pick(this.#connectionsOf(process))
    if (!connection) return
    connection.cut()
    for (const { member } of this.#ends(connection)) this.log(member.label, { kind: 'cut' })
  }

  /** Stalls one of its connections for this many milliseconds. */
  stall(process: SimulatedProcess, milliseconds: number): void {
    const connection = this.#random.pick(this.#connectionsOf(process))
    if (!connection) return
    connection.stall(this.timeline.now + milliseconds)
    this.log(process.member.label, { kind: 'disturbed', what: `stalled for ${milliseconds} ms` })
  }

  /** Removes its socket file. */
  unpublish({ member }: SimulatedProcess): void {
    const address = this.network.addresses.find(({ id }) => id === member.id)
    if (!address) return
    this.network.remove(address)
    this.log(member.label, { kind: 'unpublished' })
  }

  /** Closes a member, and records leftovers. */
  async close(process: SimulatedProcess, timeout: number): Promise<void> {
    const { member, host } = process
    await member.close(timeout)
    if (host.isDead) return
    // A socket's close is reported a turn later.
    host.schedule(100, () => this.#lookForLeftovers(process))
  }

  /** Ends all faults. */
  heal(): void {
    for (const process of this.#processes) this.thaw(process)
    for (const connection of this.network.connections()) connection.stall(0)
    this.network.faults.conditions = FAIR
    this.log('', { kind: 'healed' })
  }

  /** Records connections to endpoints that left long ago. */
  lookForLingering(): void {
    for (const { member, host } of this.#processes) {
      const count = host.unreferencedHandles
      if (count > 0) this.log(member.label, { kind: 'leftover', what: 'lingering connections', count })
    }
  }

  log(label: string, said: RecordFields): void {
    this.history.add({ at: this.timeline.now, endpoint: label, ...said })
  }

  #lookForLeftovers({ member, host }: SimulatedProcess): void {
    const files = this.network.addresses.filter(({ id }) => id === member.id).length
    for (const [what, count] of Object.entries({ timers: host.timers, handles: host.handles, files })) {
      if (count > 0) this.log(member.label, { kind: 'leftover', what, count })
    }
  }

  #connectionsOf({ host }: SimulatedProcess): SimulatedConnection[] {
    return this.network.connections().filter((connection) => connection.host === host)
  }

  #ends(connection: SimulatedConnection): SimulatedProcess[] {
    return this.#processes.filter(({ host }) => host === connection.host || host === connection.other)
  }
}
