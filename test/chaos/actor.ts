import { setTimeout } from 'node:timers/promises'
import { Endpoint, EndpointClosed } from '../../src'
import { settingsOf } from '../../src/options'
import { Member } from '../simulation/member'
import { type Action, type Plan, planOf } from '../simulation/plan'
import { Random } from '../simulation/random'
import { RandomActions } from '../simulation/random-actions'
import { judgedLimits, type RecordFields } from '../simulation/record'
import type { Standing } from './actor-procedures'
import { LogFile } from './log-file'
import { monotonicNow } from './monotonic-now'

/** Maximum number of endpoints per process. */
const CROWD = 3

/** Maximum milliseconds between two actions. */
const PAUSE = 80

/** The timeout of a close, in milliseconds. */
const CLOSING = 5000

/** Milliseconds between two checks of the clock, and the delay from which the loop counts as blocked. */
const BEAT = 10
const LATE = 40

const ACTIONS = {
  leave: 1,
  restart: 2,
  subscribe: 14,
  stream: 2,
  unsubscribe: 6,
  respond: 6,
  unrespond: 2,
  broadcast: 20,
  flood: 2,
  ask: 8,
  askAll: 2,
} as const satisfies Partial<Record<Action, number>>

export interface Role {
  readonly directory: string
  /** The path of its log file. */
  readonly log: string
  /** The unique number of the process. */
  readonly number: number
  /** The seed shared by all processes, which decides names and limits. */
  readonly seed: number
  readonly endpoints: number
}

/** The endpoints of one process, which act at random and record their history. */
export class Actor {
  readonly #role: Role
  readonly #plan: Plan
  readonly #random: Random
  readonly #actions: RandomActions
  readonly #log: LogFile
  readonly #members: { readonly member: Member; readonly standing: () => { pending: number; peers: number } }[] = []
  #acting = true
  #lives = 0
  #records = 0
  #unsettled = 0

  constructor(role: Role) {
    this.#role = role
    this.#plan = { ...planOf(new Random(role.seed), role), hasOrder: false }
    this.#random = new Random(role.seed * 1000 + role.number)
    this.#actions = new RandomActions(this.#plan, this.#random)
    this.#log = new LogFile(role.log)
  }

  /** Acts until `calm` is called. */
  async act(): Promise<void> {
    const random = this.#random
    while (this.#acting) {
      await setTimeout(random.float() * PAUSE)
      if (!this.#acting) return
      if (this.#alive.length === 0) this.start(random.pick(this.#plan.names) ?? '')
      const member = random.pick(this.#up)
      if (!member) continue
      const action = random.weighted(ACTIONS)
      if (action !== 'leave' && action !== 'restart') {
        try {
          this.#actions.act(action, member)
        } catch (error) {
          // An endpoint that has lost its name closes by itself.
          if (!(error instanceof EndpointClosed)) throw error
        }
        continue
      }
      void member.close(random.pick([0, 100, 2000]))
      if (action === 'restart') this.start(member.name)
    }
  }

  calm(): void {
    this.#acting = false
  }

  start(name: string): void {
    if (this.#alive.length >= CROWD) return
    const label = `${name}#${this.#role.number}.${++this.#lives}`
    const options = { ...this.#plan.optionsOf(name), directory: this.#role.directory }
    const limits = judgedLimits(settingsOf(options).limits)
    const overflow = typeof options.overflow === 'string' ? options.overflow : undefined
    this.log(label, { kind: 'starting', name, groups: [...(options.groups ?? [])], overflow, limits })
    const stage = { log: (endpoint: string, said: RecordFields) => this.log(endpoint, said), sleep: setTimeout }
    const member = new Member(label, name, stage, this.#manner())
    let endpoint: Endpoint | undefined
    const standing = () => {
      const peers = endpoint?.peers ?? []
      return { pending: peers.reduce((sum, { queuedBytes }) => sum + queuedBytes, 0), peers: peers.length }
    }
    this.#members.push({ member, standing })
    void member.start(async () => {
      endpoint = await Endpoint.start(options)
      return endpoint
    })
  }

  get standing(): Standing {
    const standings = this.#members.filter(({ member }) => member.isUp).map(({ standing }) => standing())
    return {
      records: this.#records,
      pending: this.#unsettled + standings.reduce((sum, { pending }) => sum + pending, 0),
      up: standings.length,
      turning: this.#alive.filter(({ isUp }) => !isUp).length,
      peers: standings.reduce((sum, { peers }) => sum + peers, 0),
    }
  }

  look(at: number): void {
    this.#now = () => at
    for (const member of this.#up) member.look()
    this.#now = monotonicNow
  }

  listen(): void {
    for (const member of this.#up) {
      member.subscribe('>', {})
      member.subscribe('a.x', { queue: 'last' })
      member.subscribe('a.*', { queue: 'last' })
    }
  }

  speak(): void {
    for (const member of this.#up) {
      this.#actions.broadcast(member, this.#random.between(1, 10))
      this.#actions.ask(member)
    }
  }

  async leave(): Promise<void> {
    const closing = this.#up.map((member) => {
      this.#actions.broadcast(member, this.#random.between(1, 10))
      return member.close(CLOSING)
    })
    await Promise.all(closing)
  }

  log(label: string, said: RecordFields): void {
    if (said.kind === 'asked') this.#unsettled++
    if (said.kind === 'settled') this.#unsettled--
    // A freeze is no sign of work in progress.
    if (said.kind !== 'frozen' && said.kind !== 'thawed') this.#records++
    this.#log.add({ at: this.#now(), endpoint: label, ...said })
  }

  /** Records when the loop was blocked. */
  watchLoop(): void {
    let last = monotonicNow()
    const beat = setInterval(() => {
      const now = monotonicNow()
      if (now - last > BEAT + LATE) this.#noteFreeze(last, now)
      last = now
    }, BEAT)
    beat.unref()
  }

  #noteFreeze(since: number, until: number): void {
    for (const { label } of this.#alive) {
      this.#log.add({ at: since, endpoint: label, kind: 'frozen' })
      this.#log.add({ at: until, endpoint: label, kind: 'thawed' })
    }
  }

  #now = monotonicNow

  get #alive(): Member[] {
    return this.#members.map(({ member }) => member).filter(({ isOver }) => !isOver)
  }

  get #up(): Member[] {
    return this.#alive.filter(({ isUp }) => isUp)
  }

  /** Most handlers end at once, some take a few milliseconds. */
  #manner(): () => number | 'at-once' {
    const random = this.#random.fork()
    const slow = random.pick([0, 0.3])
    return () => (random.chance(slow) ? random.between(0, 3) : 'at-once')
  }
}
