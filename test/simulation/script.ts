import { type BroadcastOptions, defineEvent, type EventDefinition } from '../../src'
import type { Manner, Member } from './member'
import type { Deed, Plan } from './plan'
import type { Random } from './random'
import type { Resident, Simulation } from './simulation'

const TYPES: readonly (string | EventDefinition<unknown>)[] = [
  'a.x',
  'a.y',
  'b.x',
  defineEvent<unknown>('b.latest', { overflow: 'latest' }),
  defineEvent<unknown>('b.newest', { overflow: 'dropNewest' }),
  defineEvent<unknown>('c.all', { overflow: 'disconnect' }),
]
const PATTERNS = ['a.x', 'a.y', 'b.x', 'b.latest', 'b.newest', 'c.all', 'a.*', 'b.>', '>'] as const
const QUEUES = ['q', 'r'] as const
const REQUESTS = ['ask.x', 'ask.y'] as const

/** Requests settle before everything has to be quiet. */
const REQUEST_TIMEOUT = 3000

/** Who does what, and to whom something happens: what the seed makes of a plan, one step after the other. */
export class Script {
  readonly #simulation: Simulation
  readonly #plan: Plan
  readonly #random: Random

  constructor(simulation: Simulation, plan: Plan, random: Random) {
    this.#simulation = simulation
    this.#plan = plan
    this.#random = random
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
    this.#simulation.start(this.#plan.optionsOf(name), this.#manner())
  }

  /** What a member says at its end, so that something is under way. */
  broadcast(member: Member, count: number): void {
    const type = this.#random.pick(TYPES)
    if (type === undefined) return
    void this.#sendAll(member, type, count)
  }

  ask(member: Member): void {
    void member.ask(this.#random.pick(REQUESTS), REQUEST_TIMEOUT)
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
    const random = this.#random
    switch (deed) {
      case 'leave':
      case 'restart':
        void this.#simulation.close(resident, random.pick([0, 100, 2000]))
        if (deed === 'restart') this.start(member.name)
        return
      case 'subscribe':
        return this.#subscribe(member)
      case 'stream':
        return member.stream(random.pick(PATTERNS))
      case 'unsubscribe': {
        const number = random.pick(member.subscriptions)
        return number === undefined ? undefined : member.unsubscribe(number)
      }
      case 'respond': {
        const type = random.pick(REQUESTS)
        return member.responds.includes(type) ? undefined : member.respond(type)
      }
      case 'unrespond': {
        const type = random.pick(member.responds)
        return type === undefined ? undefined : member.unrespond(type)
      }
      case 'broadcast':
        return this.broadcast(member, random.between(1, 5))
      case 'flood':
        return this.broadcast(member, random.between(20, 80))
      case 'ask':
        for (let count = random.between(1, 4); count > 0; count--) this.ask(member)
        return
      case 'askAll':
        return void member.askAll(random.pick(REQUESTS), REQUEST_TIMEOUT)
      default:
    }
  }

  #subscribe(member: Member): void {
    const random = this.#random
    const from = random.chance(0.2) ? this.#audience() : undefined
    const queue = random.chance(0.3) ? random.pick(QUEUES) : undefined
    member.subscribe(random.pick(PATTERNS), { from, queue, concurrency: random.pick([1, 1, 3]) })
  }

  /** One after the other, each when the sender may go on; or all at once, whoever keeps up. */
  async #sendAll(member: Member, type: string | EventDefinition<unknown>, count: number): Promise<void> {
    const random = this.#random
    const { isLoaded } = this.#plan
    const isPatient = isLoaded || random.chance(0.6)
    const most = isLoaded ? 3000 : random.pick([10, 200, 3000])
    const to = random.chance(0.1) ? this.#audience() : undefined
    const except = random.chance(0.1) ? this.#audience() : undefined
    const internal = random.chance(0.05) ? true : undefined
    const wrapping = random.pick(['object', 'bytes'] as const)
    const sizes = Array.from({ length: count }, () => random.between(0, most))
    for (const size of sizes) {
      if (!member.isUp) return
      const filler = Buffer.alloc(size, size % 251)
      const handed = member.broadcast(type, { filler, wrapping, to, except, internal }, !isPatient)
      if (isPatient) await handed
    }
  }

  #audience(): NonNullable<BroadcastOptions['to']> {
    const { names } = this.#plan
    const random = this.#random
    const some = names.filter(() => random.chance(0.5))
    return random.pick<NonNullable<BroadcastOptions['to']>>([{ group: 'front' }, names[0] ?? 'a', some])
  }

  /** Some handlers are done at once, some take their time, some do either. */
  #manner(): Manner {
    const random = this.#random.fork()
    const slow = this.#plan.isLoaded ? 1 : random.pick([0, 0, 0.3, 1])
    const longest = random.pick([1, 20])
    return () => (random.chance(slow) ? random.between(0, longest) : 'at-once')
  }
}
