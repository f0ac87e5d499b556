import cluster, { type Worker as ClusterWorker } from 'node:cluster'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { Endpoint } from '../../src'
import { text } from './parse'
import { Responder } from './responder'
import { contest, release } from './rivals-procedures'

const WORKERS = 3
const THREADS = 3

/** Tells a rival to claim or release the name. */
type Order = 'claim' | 'release'

/** Claims and releases the name when told to. */
class Rival {
  readonly #directory: string
  #endpoint: Endpoint | undefined

  constructor(directory: string) {
    this.#directory = directory
  }

  async do(order: unknown): Promise<string> {
    if (order !== 'claim') {
      await this.#endpoint?.close()
      this.#endpoint = undefined
      return 'released'
    }
    try {
      this.#endpoint = await Endpoint.start({ name: 'only', directory: this.#directory })
      return 'won'
    } catch (error) {
      return error instanceof Error && 'code' in error ? String(error.code) : String(error)
    }
  }
}

type Emitter = Pick<ClusterWorker | Worker, 'once'>

function tell(emitter: Emitter, send: () => void): Promise<string> {
  return new Promise((resolve) => {
    emitter.once('message', (word: unknown) => resolve(text(word)))
    send()
  })
}

function startPrimary(directory: string): void {
  cluster.setupPrimary({ exec: __filename, args: [directory] })
  const workers = Array.from({ length: WORKERS }, () => cluster.fork())
  const threads = Array.from({ length: THREADS }, () => new Worker(__filename, { workerData: directory }))
  const own = new Rival(directory)
  const all = (order: Order) => {
    return Promise.all([
      own.do(order),
      ...workers.map((worker) => tell(worker, () => worker.send(order))),
      ...threads.map((thread) => tell(thread, () => thread.postMessage(order))),
    ])
  }
  process.once('disconnect', () => process.exit(1))
  new Responder()
    .on(contest, () => all('claim'))
    .on(release, async () => void (await all('release')))
    .listen()
}

if (!isMainThread) {
  const rival = new Rival(text(workerData))
  parentPort?.on('message', async (order) => parentPort?.postMessage(await rival.do(order)))
} else if (cluster.worker) {
  const rival = new Rival(text(process.argv[2]))
  process.on('message', async (order) => process.send?.(await rival.do(order)))
} else startPrimary(text(process.argv[2]))
