import { memberName } from './job'
import { Receiver } from './receiver'
import { sendAll } from './send-loop'
import { startUsage } from './usage'
import { runWorker } from './worker'

/** Sends to all other members of a mesh, and receives from all of them. */
runWorker(({ job, station, progress }) => {
  const others = Array.from({ length: job.processes }, (_, number) => number).filter((number) => number !== job.number)
  const receiver = new Receiver(job, others)
  let usage = startUsage()
  return {
    async listen() {
      await station.listen(others.map(memberName), receiver.receive)
      await station.untilHeardBy(others.length)
    },
    async send() {
      usage = await sendAll(job, station, progress)
    },
    receive: () => receiver.ended,
    report: () => ({ ...receiver.report(), ...usage() }),
  }
})
