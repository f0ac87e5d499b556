import { payloadKind } from '../contenders/payload'
import { now } from './clock'
import type { Job } from './job'
import { Latencies } from './latencies'
import type { ProcessReport } from './message'
import { END, Tally } from './sequence-checker'
import { startUsage } from './usage'

/** Counts, checks and times what arrives from one sender or from several. What is for the warm-up is only checked. */
export class Inbox {
  /** Resolves when the last of each has arrived. */
  readonly ended: Promise<void>
  readonly receive: (payload: unknown) => void
  readonly #warmUp: number
  readonly #tallies = new Map<number, Tally>()
  #latencies = Latencies.none()
  #usage = startUsage()
  #begunAt = 0
  #endedAt = 0

  /** @param origins the numbers of those who send */
  constructor({ payload, payloadBytes, events, warmUp, timedEvery }: Job, origins: readonly number[]) {
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
    for (const origin of origins) this.#tallies.set(origin, new Tally(warmUp + events, onEnd))
    const time = (value: unknown) => {
      if (!kind.isWhole(value)) throw new TypeError('expected a payload as it was sent, got one that is not whole')
      this.#latencies.add(now() - kind.sentAtOf(value))
    }
    const untimed = timedEvery - 1
    const [only] = origins.length === 1 ? this.#tallies.values() : []
    this.receive = (value) => {
      const sequence = kind.sequenceOf(value)
      const tally = only ?? this.#tallies.get(kind.originOf(value))
      if (!tally) throw new TypeError(`expected an event from ${origins}, got one from ${kind.originOf(value)}`)
      tally.add(sequence)
      if (sequence === warmUp) this.#begin()
      if ((sequence & untimed) === 0 && sequence !== END) time(value)
    }
  }

  report(): ProcessReport {
    const tallies = [...this.#tallies.values()]
    const sum = (of: (tally: Tally) => number) => tallies.reduce((total, tally) => total + of(tally), 0)
    return {
      // Without a warm-up the way of the first is measured too, from where it was sent.
      startedAt: this.#warmUp > 0 ? this.#begunAt : 0,
      endedAt: this.#endedAt || now(),
      arrived: sum(({ arrived }) => Math.max(0, arrived - this.#warmUp)),
      lost: sum(({ faults }) => faults.lost),
      outOfOrder: sum(({ faults }) => faults.outOfOrder),
      duplicates: sum(({ faults }) => faults.duplicates),
      latencies: this.#latencies.encode(),
      ...this.#usage(),
    }
  }

  /** The first that is measured has come, from one of them. */
  #begin(): void {
    if (this.#begunAt > 0) return
    this.#begunAt = now()
    this.#latencies = Latencies.none()
    this.#usage = startUsage()
  }
}
