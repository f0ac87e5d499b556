import cluster from 'node:cluster'
import { isMainThread, Worker, workerData } from 'node:worker_threads'
import { Endpoint } from '../../src'
import { Heard, MEMBERS, Ready, Speak, Stop, Word } from './cluster-events'
import { text } from './parse'

/** No rescans, so that members find each other only at their start, by dialling. */
const limits = { rescanInterval: 600_000 }

async function join(name: string, directory: string): Promise<Endpoint> {
  const endpoint = await Endpoint.start({ name, directory, watch: false, limits })
  const subscriptions = [
    endpoint.subscribe(Word, ({ origin }) => endpoint.broadcast(Heard, { from: origin })),
    endpoint.subscribe(Speak, () => endpoint.broadcast(Word)),
    endpoint.subscribe(Stop, async () => {
      await endpoint.close()
      cluster.worker?.disconnect()
    }),
  ]
  await Promise.all(subscriptions.map(({ ready }) => ready))
  await endpoint.waitUntilConnectedTo(MEMBERS)
  await endpoint.broadcast(Ready)
  return endpoint
}

async function startPrimary(directory: string): Promise<void> {
  cluster.setupPrimary({ exec: __filename, args: [directory] })
  cluster.fork()
  cluster.fork()
  new Worker(__filename, { workerData: directory })
  process.once('disconnect', () => process.exit(1))
  process.channel?.unref()
  process.send?.({ kind: 'listening' })
  await join('primary', directory)
}

if (!isMainThread) void join('thread', text(workerData))
else if (cluster.worker) void join(`worker-${cluster.worker.id}`, text(process.argv[2]))
else void startPrimary(text(process.argv[2]))
