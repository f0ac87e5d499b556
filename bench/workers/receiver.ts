import { payloadKind } from '../contenders/payload'
import { now } from './clock'
import type { Job } from './job'
import { Latencies } from './latencies'
import type { ProcessReport } from './message'
import { END, SequenceChecker } from './sequence-checker'
import { ShareChecker } from './share-checker'
import { startUsage } from './usage'

/** Counts, checks and times the events of one or more senders. A warm-up is only checked. */
export class Receiver {
  /** Resolves when the end mark of every sender has arrived. */
  readonly ended: Promise<void>
  readonly receive: (payload: unknown) => void
  readonly #warmUp: number
  readonly #checkers: ReadonlyMap<number, SequenceChecker | ShareChecker>
  #latencies = Latencies.none()
  #usage = startUsage()
  #isMeasuring = false
  #endedAt = 0

  /** @param origins the numbers of the senders */
  constructor({ mode, payload, payloadBytes, events, warmUp, timedEvery }: Job, origins: readonly number[]) {
    this.#warmUp = warmUp
    const kind = payloadKind(payload, payloadBytes)
    let open = origins.length
    let end = () => {}
    this.ended = new Promise((resolve) => {
      end = resolve
    })
    const onEnd = () => {
      this.#endedAt = now()
      if (--open === 0) end()
    }
    const isShared = mode === 'queue'
    const checker = () => {
      return isShared ? new ShareChecker(warmUp + events, warmUp, onEnd) : new SequenceChecker(warmUp + events, onEnd)
    }
    this.#checkers = new Map(origins.map((origin) => [origin, checker()]))
    const [only] = origins.length === 1 ? this.#checkers.values() : []
    const untimed = timedEvery - 1
    this.receive = (value) => {
      const sequence = kind.sequenceOf(value)
      const checker = only ?? this.#checkers.get(kind.originOf(value))
      if (!checker) throw new TypeError(`expected an event from ${origins}, got one from ${kind.originOf(value)}`)
      checker.add(sequence)
      // Another member of a queue may get the first one.
      if (sequence === warmUp || (isShared && sequence > warmUp)) this.#measure()
      if ((sequence & untimed) !== 0 || sequence === END) return
      if (!kind.isWhole(value)) throw new TypeError('expected a whole payload, got a part of one')
      this.#latencies.add(now() - kind.sentAtOf(value))
    }
  }

  report(): Partial<ProcessReport> {
    const checkers = [...this.#checkers.values()]
    type Checker = SequenceChecker | ShareChecker
    const sum = (of: (checker: Checker) => number) => checkers.reduce((total, each) => total + of(each), 0)
    const arrivedOf = (checker: Checker) => {
      return checker instanceof ShareChecker ? checker.arrived : Math.max(0, checker.arrived - this.#warmUp)
    }
    const [first] = checkers
    const usage = this.#usage()
    return {
      ...usage,
      // Without a warm-up, the way of the first event is measured too: from where it was sent.
      startedAt: this.#warmUp > 0 && this.#isMeasuring ? usage.startedAt : 0,
      endedAt: this.#endedAt || now(),
      arrived: sum(arrivedOf),
      share: first instanceof ShareChecker ? first.share : '',
      lost: sum(({ faults }) => faults.lost),
      outOfOrder: sum(({ faults }) => faults.outOfOrder),
      duplicates: sum(({ faults }) => faults.duplicates),
      latencies: this.#latencies.encode(),
    }
  }

  /** Starts with the first measured event of any sender. */
  #measure(): void {
    if (this.#isMeasuring) return
    this.#isMeasuring = true
    this.#latencies = Latencies.none()
    this.#usage = startUsage()
  }
}
