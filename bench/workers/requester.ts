import type { Station } from '../contenders/contender'
import { payloadKind } from '../contenders/payload'
import { contenderOf } from '../contenders/registry'
import { now } from './clock'
import type { Job } from './job'
import { Latencies } from './latencies'
import { Pace } from './pacer'
import { Progress } from './progress'
import { startUsage } from './usage'
import { Orchestrator } from './worker'

/** Asks until all has been asked, so many at a time, and checks and times what comes back. A warm-up is only checked. */
class Asker {
  readonly latencies = Latencies.none()
  /** Responses so far, those to the warm-up included. */
  answered = 0
  startedAt = now()
  usage = startUsage()
  readonly #job: Job
  readonly #station: Station
  readonly #progress: Progress
  #asked = 0

  constructor(job: Job, station: Station, progress: Progress) {
    this.#job = job
    this.#station = station
    this.#progress = progress
  }

  async run(): Promise<void> {
    const pace = new Pace(this.#job.throttle)
    await Promise.all(Array.from({ length: this.#job.concurrency }, () => this.#askInTurn(pace)))
  }

  /** One after the other. */
  async #askInTurn(pace: Pace): Promise<void> {
    const { number, payload, payloadBytes, warmUp, events } = this.#job
    const kind = payloadKind(payload, payloadBytes)
    while (this.#asked < warmUp + events) {
      const sequence = this.#asked++
      const early = pace.next()
      if (early) await early
      if (sequence === warmUp) this.#begin()
      const askedAt = now()
      const response = await this.#station.request(kind.make(sequence, number, askedAt))
      if (sequence >= warmUp) this.latencies.add(now() - askedAt)
      if (kind.sequenceOf(response) !== sequence || !kind.isWhole(response)) {
        throw new Error(`expected the response to request ${sequence}, got that to ${kind.sequenceOf(response)}`)
      }
      this.#progress.at(++this.answered)
    }
  }

  /** The first that is measured is about to be asked. */
  #begin(): void {
    this.startedAt = now()
    this.usage = startUsage()
  }
}

async function main(): Promise<void> {
  const orchestrator = new Orchestrator()
  const { job } = orchestrator
  const station = await contenderOf(job.contender).join(job)
  await orchestrator.tell({ kind: 'ready' })

  await orchestrator.until('go')
  await station.untilHeardBy(job.processes)
  const asker = new Asker(job, station, new Progress(job.warmUp + job.events, orchestrator))
  await asker.run()
  const endedAt = now()
  await orchestrator.tell({ kind: 'finished' })

  await orchestrator.until('stop')
  const { startedAt, usage } = asker
  const arrived = asker.answered - job.warmUp
  const counts = { arrived, lost: job.events - arrived, outOfOrder: 0, duplicates: 0 }
  const latencies = asker.latencies.encode()
  await orchestrator.tell({ kind: 'report', report: { ...counts, startedAt, endedAt, latencies, ...usage() } })
  await station.close()
  orchestrator.leave()
}

void main()
