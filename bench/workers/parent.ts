import { IpcStation } from '../contenders/ipc'
import { sendAll } from './send-loop'
import { startUsage } from './usage'
import { runWorker } from './worker'
import { collect, connect, reach, tell, WorkerProcess } from './worker-process'

/** Sends to consumers that are its child processes. */
runWorker(({ job, progress }) => {
  const children = Array.from({ length: job.processes }, (_, index) => {
    const child = new WorkerProcess('consumer.js', { ...job, name: `consumer-${index + 1}`, number: index + 1 })
    child.failed.catch(() => process.exit(1))
    return child
  })
  const station = new IpcStation(children.map((child) => child.process))
  let usage = startUsage()
  return {
    listen: () => connect(children),
    async send() {
      tell('go', children)
      usage = await sendAll(job, station, progress)
    },
    receive: () => reach('received', children),
    report: () => usage(),
    stopChildren: () => collect(children),
  }
})
