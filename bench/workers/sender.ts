import { sendAll } from './send-loop'
import { startUsage } from './usage'
import { runWorker } from './worker'

/** Sends to all consumers. */
runWorker(({ job, station, progress }) => {
  let usage = startUsage()
  return {
    listen: () => station.untilHeardBy(job.processes),
    async send() {
      usage = await sendAll(job, station, progress)
    },
    report: () => usage(),
  }
})
