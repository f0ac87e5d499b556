import { payloadKind } from '../contenders/payload'
import { SENDER } from './job'
import { startUsage } from './usage'
import { runWorker } from './worker'

/** Answers each request with its payload. */
runWorker(({ job, station }) => {
  const kind = payloadKind(job.payload, job.payloadBytes)
  let arrived = 0
  let usage = startUsage()
  return {
    async listen() {
      await station.respond?.(SENDER, (payload) => {
        if (kind.sequenceOf(payload) >= job.warmUp && arrived++ === 0) usage = startUsage()
        return payload
      })
    },
    report: () => ({ arrived, ...usage() }),
  }
})
