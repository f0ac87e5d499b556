import { SENDER } from './job'
import { Receiver } from './receiver'
import { runWorker } from './worker'

/** Receives from the sender. */
runWorker(({ job, station }) => {
  const receiver = new Receiver(job, [0])
  return {
    listen: () => station.listen([SENDER], receiver.receive),
    receive: () => receiver.ended,
    report: () => receiver.report(),
  }
})
