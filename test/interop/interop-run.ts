import { setImmediate, setTimeout } from 'node:timers/promises'
import { settingsOf } from '../../src/options'
import { mergeHistories } from '../chaos/merged-history'
import { monotonicNow } from '../chaos/monotonic-now'
import type { Bus } from '../multiprocess/bus'
import { until } from '../multiprocess/until'
import { Member } from '../simulation/member'
import { type HistoryRecord, judgedLimits, type RecordFields } from '../simulation/record'
import { DEALT } from '../support/members'
import type { PythonMember } from './python-member'

/** Small enough that windows fill up, while patience never ends. */
const LIMITS = {
  frameBytes: 8 * 1024,
  windowBytes: 8 * 1024,
  outboxBytes: 64 * 1024,
  highWaterMark: 16 * 1024,
  patience: 20_000,
}

const ROUNDS = 100
const REQUEST_TIMEOUT = 30_000
const TEXT = { text: 'snowman ☃, '.repeat(20) }

/** Runs endpoints in this process and a peer in Python on one bus; each side records its history. */
export class InteropRun {
  readonly #bus: Bus
  readonly #snake: PythonMember
  readonly #records: HistoryRecord[] = []
  readonly #quiet: number[] = []
  #handled = 0

  constructor(bus: Bus, snake: PythonMember) {
    this.#bus = bus
    this.#snake = snake
  }

  /** The merged history of both sides. */
  get history(): HistoryRecord[] {
    const histories = [{ process: 1, records: this.#records }, this.#snake.history(2)]
    return mergeHistories(
      histories,
      this.#quiet.map((at) => ({ kind: 'quiet', at })),
    )
  }

  /** The history up to the time at which everything had arrived and no endpoint had left. */
  get untilLeave(): HistoryRecord[] {
    return this.history.filter(({ at }) => at <= (this.#quiet[0] ?? 0))
  }

  /** Starts one endpoint before the peer in Python and two after it; all work, the peer leaves, the others go on. */
  async run(): Promise<void> {
    const snake = this.#snake
    const early = await this.#join('early')
    await snake.reported('joined')
    const members = [early, await this.#join('late'), await this.#join('later')]
    await until(() => snake.reportsOf('joined').length === members.length)
    await this.#subscribe(members)
    snake.broadcast('a.x', TEXT, 4 * ROUNDS)
    snake.broadcast('b.job', TEXT, ROUNDS)
    const answers = Array.from({ length: ROUNDS }, (_, index) => snake.ask(index + 1, 'late', 'ask', {}))
    await Promise.all([...members.map((member) => this.#work(member)), ...answers])
    snake.broadcast('a.end', {})
    await Promise.all(members.map((member) => this.#send(member, 'a.end')))
    // After everything else: four senders at three subscriptions, and those with `from`.
    await this.#arrive(3 * 4 + 1 + 2)
    await this.#look(members)
    await this.#part(members)
    await Promise.all(members.map((member) => member.close(5000)))
  }

  async #subscribe([early, late, later]: readonly Member[]): Promise<void> {
    early?.subscribe('a.>', {})
    early?.subscribe('b.job', DEALT)
    late?.stream('a.>')
    late?.respond('ask')
    later?.subscribe('a.*', { from: ['snake'] })
    later?.subscribe('b.*', DEALT)
    await this.#snake.want({ type: 'a.>' }, { type: 'a.*', from: ['early', 'late'] })
    await this.#snake.want({ type: 'b.job', queue: 'workers' }, { type: 'ask', responds: true })
    await until(() => this.#count('ready') === this.#count('subscribed'))
  }

  async #work(member: Member): Promise<void> {
    for (let round = 0; round < ROUNDS; round++) {
      await this.#send(member, 'a.x')
      await this.#send(member, 'b.job')
      await this.#send(member, 'c.unwanted')
      if (round % 10 === 0) await this.#send(member, 'a.y', { except: 'snake' })
      await member.ask('ask', { timeout: REQUEST_TIMEOUT, ordered: false })
    }
  }

  async #send(member: Member, type: string, options: { readonly except?: string } = {}): Promise<void> {
    const size = member.name.length * 150
    const wrapping = type === 'b.job' ? 'bytes' : 'object'
    await member.broadcast(type, { filler: Buffer.alloc(size, type), wrapping, ...options })
    await setImmediate()
  }

  /** All record their peers, at one time in the history. */
  async #look(members: readonly Member[]): Promise<void> {
    const at = monotonicNow()
    this.#quiet.push(at)
    this.#now = () => at
    for (const member of members) member.look()
    this.#now = monotonicNow
    await this.#snake.look(at)
  }

  /** The peer in Python unsubscribes, broadcasts once more and leaves, while others send to it. */
  async #part(members: readonly Member[]): Promise<void> {
    const snake = this.#snake
    await snake.waive({ type: 'a.>' })
    snake.broadcast('a.x', TEXT, ROUNDS)
    snake.broadcast('a.end', {})
    const before = this.#ends
    await Promise.all([snake.leave(), ...members.map((member) => this.#send(member, 'b.job'))])
    await Promise.all(members.map((member) => this.#work(member)))
    await until(() => this.#count('left') === members.length)
    await this.#arrive(before + 3)
    this.#quiet.push(monotonicNow())
  }

  /** Waits for all expected events. The checker reports missing ones. */
  async #arrive(ends: number): Promise<void> {
    await until(() => this.#ends === ends && this.#areJobsDone).catch(() => {})
  }

  async #join(name: string): Promise<Member> {
    const limits = judgedLimits(settingsOf({ name, limits: LIMITS }).limits)
    const label = `${name}#1`
    // Every fifth handler takes a millisecond.
    const manner = () => (++this.#handled % 5 === 0 ? 1 : 'at-once')
    const member = new Member(label, name, { log: (of, said) => this.#log(of, said), sleep: setTimeout }, manner)
    this.#log(label, { kind: 'starting', name, groups: [], limits })
    await member.start(() => this.#bus.join(name, { limits: LIMITS }))
    return member
  }

  #now = monotonicNow

  #log(endpoint: string, said: RecordFields): void {
    this.#records.push({ at: this.#now(), endpoint, ...said })
  }

  #count(kind: HistoryRecord['kind']): number {
    return this.#records.filter((record) => record.kind === kind).length
  }

  /** How often an `a.end` has been handled. */
  get #ends(): number {
    return this.#receivedOf('a.end') + this.#snake.reportsOf('event').filter(({ type }) => type === 'a.end').length
  }

  /** Whether every queue event has been handled by a member. */
  get #areJobsDone(): boolean {
    const sent = this.#records.filter((record) => record.kind === 'sent' && record.type === 'b.job').length
    return this.#receivedOf('b.job') + this.#snake.reportsOf('assigned').length === sent + ROUNDS
  }

  #receivedOf(type: string): number {
    return this.#records.filter((record) => record.kind === 'received' && record.type === type).length
  }
}
