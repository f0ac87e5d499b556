import type { Member } from './member'
import type { Action, Plan } from './plan'
import type { Random } from './random'
import { RandomActions } from './random-actions'
import type { SimulatedProcess, Simulation } from './simulation'

/** Runs the steps of a plan: random actions and faults. */
export class Script {
  readonly #simulation: Simulation
  readonly #plan: Plan
  readonly #random: Random
  readonly #actions: RandomActions

  constructor(simulation: Simulation, plan: Plan, random: Random) {
    this.#simulation = simulation
    this.#plan = plan
    this.#random = random
    this.#actions = new RandomActions(plan, random)
  }

  step(): void {
    const action = this.#random.weighted(this.#plan.actions)
    if (action === 'join') return this.#join()
    if (action === 'rush') return this.#rush()
    const process = this.#random.pick(this.#simulation.running)
    if (!process) return
    const { member, host } = process
    if (this.#disturb(action, process) || !member.isUp || host.isFrozen) return
    this.#act(action, process)
  }

  /** Starts an endpoint of this name, even if there is one already. */
  start(name: string): void {
    this.#simulation.start(this.#plan.optionsOf(name), this.#actions.manner())
  }

  /** Broadcasts, so that something is in flight. */
  broadcast(member: Member, count: number): void {
    this.#actions.broadcast(member, count)
  }

  ask(member: Member): void {
    this.#actions.ask(member)
  }

  /** A random name, mostly an unused one. */
  #name(): string | undefined {
    const taken = new Set(this.#simulation.running.map(({ member }) => member.name))
    const free = this.#plan.names.filter((name) => !taken.has(name))
    return this.#random.pick(this.#random.chance(0.8) ? free : this.#plan.names)
  }

  #join(): void {
    const name = this.#name()
    if (name !== undefined) this.start(name)
  }

  /** Starts several endpoints of one name at once. */
  #rush(): void {
    const name = this.#name()
    if (name === undefined) return
    for (let count = this.#random.between(2, 3); count > 0; count--) this.start(name)
  }

  /** Applies a fault to a process. Returns whether the action is a fault. */
  #disturb(action: Action, process: SimulatedProcess): boolean {
    const simulation = this.#simulation
    switch (action) {
      case 'kill':
        simulation.kill(process)
        if (this.#random.chance(0.5)) this.start(process.member.name)
        return true
      case 'freeze':
        simulation.freeze(process)
        simulation.timeline.after(this.#random.between(1, this.#plan.longestStop), () => simulation.thaw(process))
        return true
      case 'cut':
        simulation.cut(process)
        return true
      case 'stall':
        simulation.stall(process, this.#random.between(1, 800))
        return true
      case 'unpublish':
        simulation.unpublish(process)
        return true
      default:
        return false
    }
  }

  #act(action: Action, process: SimulatedProcess): void {
    const { member } = process
    if (action !== 'leave' && action !== 'restart') return this.#actions.act(action, member)
    void this.#simulation.close(process, this.#random.pick([0, 100, 2000]))
    if (action === 'restart') this.start(member.name)
  }
}
