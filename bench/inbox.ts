import { now } from './clock'
import type { Job } from './job'
import { Latencies } from './latency'
import type { ProcessReport } from './message'
import { payloadKind } from './payload'
import { END, Tally } from './tally'

/** Counts, checks and times what arrives from one sender or from several. */
export class Inbox {
  /** Resolves when the last of each has arrived. */
  readonly ended: Promise<void>
  readonly receive: (payload: unknown) => void
  readonly #latencies = Latencies.none()
  readonly #tallies = new Map<number, Tally>()
  #endedAt = 0

  /** @param origins the numbers of those who send */
  constructor({ payload, payloadBytes, events, timedEvery }: Job, origins: readonly number[]) {
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
    for (const origin of origins) this.#tallies.set(origin, new Tally(events, onEnd))
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
      if ((sequence & untimed) === 0 && sequence !== END) time(value)
    }
  }

  report(): Omit<ProcessReport, 'startedAt' | 'cpuMicroseconds' | 'rssBytes'> {
    const tallies = [...this.#tallies.values()]
    const sum = (of: (tally: Tally) => number) => tallies.reduce((total, tally) => total + of(tally), 0)
    return {
      endedAt: this.#endedAt || now(),
      arrived: sum(({ arrived }) => arrived),
      lost: sum(({ faults }) => faults.lost),
      outOfOrder: sum(({ faults }) => faults.outOfOrder),
      duplicates: sum(({ faults }) => faults.duplicates),
      latencies: this.#latencies.encode(),
    }
  }
}
