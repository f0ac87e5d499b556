import type { Member } from './member'
import type { Deed, Plan } from './plan'
import type { Random } from './random'
import { Repertoire } from './repertoire'
import type { Resident, Simulation } from './simulation'

/** Who does what, and to whom something happens: what the seed makes of a plan, one step after the other. */
export class Script {
  readonly #simulation: Simulation
  readonly #plan: Plan
  readonly #random: Random
  readonly #repertoire: Repertoire

  constructor(simulation: Simulation, plan: Plan, random: Random) {
    this.#simulation = simulation
    this.#plan = plan
    this.#random = random
    this.#repertoire = new Repertoire(plan, random)
  }

  step(): void {
    const deed = this.#random.weighted(this.#plan.deeds)
    if (deed === 'join') return this.#join()
    if (deed === 'rush') return this.#rush()
    const resident = this.#random.pick(this.#simulation.residents)
    if (!resident) return
    const { member, host } = resident
    if (this.#befall(deed, resident) || !member.isUp || host.isFrozen) return
    this.#act(deed, resident)
  }

  /** A life of that name begins; perhaps beside another one of the same. */
  start(name: string): void {
    this.#simulation.start(this.#plan.optionsOf(name), this.#repertoire.manner())
  }

  /** What a member says at its end, so that something is under way. */
  broadcast(member: Member, count: number): void {
    this.#repertoire.broadcast(member, count)
  }

  ask(member: Member): void {
    this.#repertoire.ask(member)
  }

  /** A name that nobody has, most of the time. */
  #name(): string | undefined {
    const taken = new Set(this.#simulation.residents.map(({ member }) => member.name))
    const free = this.#plan.names.filter((name) => !taken.has(name))
    return this.#random.pick(this.#random.chance(0.8) ? free : this.#plan.names)
  }

  #join(): void {
    const name = this.#name()
    if (name !== undefined) this.start(name)
  }

  /** Several of one name begin at once. */
  #rush(): void {
    const name = this.#name()
    if (name === undefined) return
    for (let count = this.#random.between(2, 3); count > 0; count--) this.start(name)
  }

  /** What happens to a process, whatever it is doing. Returns whether the deed was of that kind. */
  #befall(deed: Deed, resident: Resident): boolean {
    const simulation = this.#simulation
    switch (deed) {
      case 'kill':
        simulation.kill(resident)
        if (this.#random.chance(0.5)) this.start(resident.member.name)
        return true
      case 'freeze':
        simulation.freeze(resident)
        simulation.timeline.after(this.#random.between(1, 2000), () => simulation.thaw(resident))
        return true
      case 'cut':
        simulation.cut(resident)
        return true
      case 'stall':
        simulation.stall(resident, this.#random.between(1, 800))
        return true
      case 'unpublish':
        simulation.unpublish(resident)
        return true
      default:
        return false
    }
  }

  #act(deed: Deed, resident: Resident): void {
    const { member } = resident
    if (deed !== 'leave' && deed !== 'restart') return this.#repertoire.act(deed, member)
    void this.#simulation.close(resident, this.#random.pick([0, 100, 2000]))
    if (deed === 'restart') this.start(member.name)
  }
}
