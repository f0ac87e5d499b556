import { payloadKind } from '../contenders/payload'
import { now } from './clock'
import { Latencies } from './latencies'
import { Pacer } from './pacer'
import { startUsage } from './usage'
import { runWorker } from './worker'

/** Sends requests, `concurrency` at a time, and checks and times the responses. */
runWorker(({ job, station, progress }) => {
  const { number, payload, payloadBytes, warmUp, events, throttle, concurrency } = job
  const kind = payloadKind(payload, payloadBytes)
  const latencies = Latencies.none()
  let asked = 0
  let answered = 0
  let endedAt = 0
  let usage = startUsage()

  async function askInTurn(pacer: Pacer | undefined): Promise<void> {
    while (asked < warmUp + events) {
      const sequence = asked++
      const early = pacer?.next()
      if (early) await early
      if (sequence === warmUp) usage = startUsage()
      const askedAt = now()
      const response = await station.request?.(kind.make(sequence, number, askedAt))
      if (sequence >= warmUp) latencies.add(now() - askedAt)
      if (kind.sequenceOf(response) !== sequence || !kind.isWhole(response)) {
        throw new Error(`expected the response to request ${sequence}, got that to ${kind.sequenceOf(response)}`)
      }
      progress(++answered)
    }
  }

  return {
    listen: () => station.untilHeardBy(job.processes),
    async send() {
      const pacer = throttle > 0 ? new Pacer(throttle) : undefined
      await Promise.all(Array.from({ length: concurrency }, () => askInTurn(pacer)))
      endedAt = now()
    },
    report() {
      const arrived = answered - warmUp
      return { arrived, lost: events - arrived, endedAt, latencies: latencies.encode(), ...usage() }
    },
  }
})
