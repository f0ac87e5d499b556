import type { EndpointOptions } from '../../src'
import type { Core } from './core'
import type { History } from './history'
import { Host } from './host'
import { type Manner, Member } from './member'
import { Network } from './network'
import type { Random } from './random'
import type { Said } from './record'
import type { SimulatedConnection } from './simulated-connection'
import { SimulatedTransport } from './simulated-transport'
import { Timeline } from './timeline'
import { VirtualClock } from './virtual-clock'
import { FAIR, Weather } from './weather'

/** A member and the process it lives in. */
export interface Resident {
  readonly member: Member
  readonly host: Host
}

/** A bus in a world of its own: its time, its network, and its endpoints, each in a process of its own. */
export class Simulation {
  readonly timeline = new Timeline()
  readonly network: Network
  readonly history: History
  readonly #core: Core
  readonly #random: Random
  readonly #residents: Resident[] = []

  constructor(core: Core, random: Random, history: History) {
    this.history = history
    this.#core = core
    this.#random = random
    this.network = new Network(new Weather(random.fork()))
  }

  /** Everyone who was ever started and has not ended. */
  get residents(): Resident[] {
    return this.#residents.filter(({ member }) => !member.isOver)
  }

  /** Those of them that are started. */
  get citizens(): Resident[] {
    return this.#residents.filter(({ member }) => member.isUp)
  }

  start(options: EndpointOptions, manner: Manner): Resident {
    const { name, groups = [] } = options
    const host = new Host(this.timeline)
    const label = `${name}#${this.#residents.length + 1}`
    const stage = {
      log: (endpoint: string, said: Said) => this.log(endpoint, said),
      sleep: (milliseconds: number) => new Promise<void>((resolve) => host.schedule(milliseconds, resolve)),
    }
    const member = new Member(label, name, stage, manner)
    const resident = { member, host }
    this.#residents.push(resident)
    const settings = { ...this.#core.settingsOf(options), pid: this.#residents.length }
    const { frameBytes, outboxBytes, windowBytes, patience, rescanInterval, handshakeTimeout } = settings.limits
    this.log(label, {
      kind: 'starting',
      name,
      groups: [...groups],
      limits: { frameBytes, outboxBytes, windowBytes, patience, rescanInterval, handshakeTimeout },
    })
    const world = {
      transport: new SimulatedTransport(this.network, host),
      clock: new VirtualClock(host, this.#random.fork()),
    }
    void member.start(() => this.#core.startIn(world, settings))
    return resident
  }

  /** Its process is gone at once; the kernel closes what it had. */
  kill({ member, host }: Resident): void {
    host.kill()
    member.die()
  }

  freeze({ member, host }: Resident): void {
    if (host.isFrozen || host.isDead) return
    host.freeze()
    this.log(member.label, { kind: 'frozen' })
  }

  thaw({ member, host }: Resident): void {
    if (!host.isFrozen) return
    host.thaw()
    this.log(member.label, { kind: 'thawed' })
  }

  /** Breaks one of its connections. */
  cut(resident: Resident): void {
    const connection = this.#random.pick(this.#connectionsOf(resident))
    if (!connection) return
    connection.cut()
    for (const { member } of this.#ends(connection)) this.log(member.label, { kind: 'cut' })
  }

  /** Lets nothing come through one of its connections for so many milliseconds. */
  stall(resident: Resident, milliseconds: number): void {
    const connection = this.#random.pick(this.#connectionsOf(resident))
    if (!connection) return
    connection.stall(this.timeline.now + milliseconds)
    this.log(resident.member.label, { kind: 'disturbed', what: `stalled for ${milliseconds} ms` })
  }

  /** Removes its socket file. */
  unpublish({ member }: Resident): void {
    const address = this.network.addresses.find(({ id }) => id === member.id)
    if (!address) return
    this.network.remove(address)
    this.log(member.label, { kind: 'unpublished' })
  }

  /** Lets everyone close, and looks for what a closed endpoint has left behind. */
  async close(resident: Resident, timeout: number): Promise<void> {
    const { member, host } = resident
    await member.close(timeout)
    if (host.isDead) return
    // The kernel's word that the last connection is closed comes a turn later.
    host.schedule(100, () => this.#lookForLeftovers(resident))
  }

  /** Everything goes on from here without a fault. */
  heal(): void {
    for (const resident of this.#residents) this.thaw(resident)
    for (const connection of this.network.connections()) connection.stall(0)
    this.network.weather.conditions = FAIR
    this.log('', { kind: 'healed' })
  }

  /** Once all is calm, nobody has anything to say to those who have left. */
  lookForLingering(): void {
    for (const { member, host } of this.#residents) {
      const count = host.unreferencedHandles
      if (count > 0) this.log(member.label, { kind: 'leftover', what: 'lingering connections', count })
    }
  }

  log(label: string, said: Said): void {
    this.history.add({ at: this.timeline.now, endpoint: label, ...said })
  }

  #lookForLeftovers({ member, host }: Resident): void {
    const files = this.network.addresses.filter(({ id }) => id === member.id).length
    for (const [what, count] of Object.entries({ timers: host.timers, handles: host.handles, files })) {
      if (count > 0) this.log(member.label, { kind: 'leftover', what, count })
    }
  }

  #connectionsOf({ host }: Resident): SimulatedConnection[] {
    return this.network.connections().filter((connection) => connection.host === host)
  }

  #ends(connection: SimulatedConnection): Resident[] {
    return this.#residents.filter(({ host }) => host === connection.host || host === connection.other)
  }
}
