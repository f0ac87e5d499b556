import { type BroadcastOptions, defineEvent, type EventDefinition } from '../../src'
import type { Manner, Member } from './member'
import type { Action, Plan } from './plan'
import type { Random } from './random'
import { unwrap } from './test-payload'

const TYPES: readonly (string | EventDefinition<unknown>)[] = [
  'a.x',
  'a.y',
  'b.x',
  defineEvent<unknown>('b.latest', { overflow: 'latest' }),
  defineEvent<unknown>('b.newest', { overflow: 'dropNewest' }),
  defineEvent<unknown>('c.all', { overflow: 'disconnect' }),
  defineEvent<unknown>('c.again', { redeliver: 2 }),
  defineEvent<unknown>('c.keyed', { partition: (payload) => (unwrap(payload)?.event ?? 0) % 3 }),
  // Over before everything has to be quiet.
  defineEvent<unknown>('c.held', { hold: 1000 }),
]
const PREFETCHES = [0, 1, 10] as const

const PATTERNS = ['a.x', 'a.y', 'b.x', 'b.latest', 'b.newest', 'c.all', 'a.*', 'b.>', 'c.*', '>'] as const
const QUEUES = ['q', 'r'] as const
const REQUESTS = ['ask.x', 'ask.y'] as const

/** Requests settle before everything has to be quiet. */
const REQUEST_TIMEOUT = 3000

/** Random actions of members. */
export class RandomActions {
  readonly #names: readonly string[]
  readonly #isLoaded: boolean
  readonly #isSlow: boolean
  readonly #isWorking: boolean
  readonly #hasOrder: boolean
  readonly #largest: number
  readonly #random: Random

  constructor(
    plan: Pick<Plan, 'names' | 'isLoaded' | 'isSlow' | 'isWorking' | 'hasOrder' | 'largest'>,
    random: Random,
  ) {
    const { names, isLoaded, isSlow, isWorking, hasOrder, largest } = plan
    this.#names = names
    this.#isLoaded = isLoaded
    this.#isSlow = isSlow
    this.#isWorking = isWorking
    this.#hasOrder = hasOrder
    this.#largest = largest
    this.#random = random
  }

  act(action: Action, member: Member): void {
    const random = this.#random
    switch (action) {
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

  /** Several events of one type. */
  broadcast(member: Member, count: number): void {
    const type = this.#random.pick(TYPES)
    if (type === undefined) return
    void this.#sendAll(member, type, count)
  }

  ask(member: Member): void {
    const random = this.#random
    const size = random.chance(0.3) ? random.between(0, 3000) : 0
    void member.ask(
      random.pick(REQUESTS),
      { timeout: REQUEST_TIMEOUT, ordered: random.chance(0.4) && this.#hasOrder },
      size,
    )
  }

  /** Some handlers end at once, some take a while, some do either. */
  manner(): Manner {
    const random = this.#random.fork()
    const slow = this.#isSlow ? 1 : random.pick([0, 0, 0.3, 1])
    const longest = random.pick([1, 20])
    return () => (random.chance(slow) ? random.between(0, longest) : 'at-once')
  }

  #subscribe(member: Member): void {
    const random = this.#random
    const from = random.chance(0.2) ? this.#audience() : undefined
    const queue = random.chance(this.#isWorking ? 0.9 : 0.3) ? random.pick(QUEUES) : undefined
    const prefetch =
      queue === undefined
        ? undefined
        : random.pick(this.#isWorking ? PREFETCHES : [Number.POSITIVE_INFINITY, ...PREFETCHES, 'auto' as const])
    member.subscribe(random.pick(PATTERNS), { from, queue, concurrency: random.pick([1, 1, 3]), prefetch })
  }

  /** Sends one after the other, awaiting each, or all at once. */
  async #sendAll(member: Member, type: string | EventDefinition<unknown>, count: number): Promise<void> {
    const random = this.#random
    const isLoaded = this.#isLoaded
    const isPatient = isLoaded || random.chance(0.6)
    const most = isLoaded ? 3000 : random.pick([10, 200, this.#largest])
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
    const names = this.#names
    const random = this.#random
    const some = names.filter(() => random.chance(0.5))
    return random.pick<NonNullable<BroadcastOptions['to']>>([{ group: 'front' }, names[0] ?? 'a', some])
  }
}
