import { writeSync } from 'node:fs'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'

/** CPU milliseconds in one case after which it counts as stuck. */
const STUCK = 10_000

/** Milliseconds that a case may wait. */
const WAITING = 120_000

/** Milliseconds between two checks. */
const INTERVAL = 1000

const STDERR = 2

/** Ends a process whose main thread is stuck in one case, and prints the case. */
export class Watchdog {
  readonly #shared = new SharedArrayBuffer(8 + 256 * 1024)
  readonly #head = new Int32Array(this.#shared, 0, 2)
  readonly #bytes = new Uint8Array(this.#shared, 8)
  readonly #worker = new Worker(__filename, {
    workerData: this.#shared,
    execArgv: ['-r', 'ts-node/register/transpile-only'],
  })

  begins(stream: Buffer): void {
    this.#bytes.set(stream)
    Atomics.store(this.#head, 1, stream.length)
    Atomics.add(this.#head, 0, 1)
  }

  async stop(): Promise<void> {
    await this.#worker.terminate()
  }
}

function watch(shared: unknown): void {
  if (!(shared instanceof SharedArrayBuffer)) throw new TypeError('expected shared memory')
  const head = new Int32Array(shared, 0, 2)
  let last = 0
  let since = process.cpuUsage()
  let began = performance.now()
  setInterval(() => {
    const cases = Atomics.load(head, 0)
    const { user, system } = process.cpuUsage(since)
    if (cases !== last) {
      last = cases
      since = process.cpuUsage()
      began = performance.now()
    } else if (cases > 0 && (user + system > STUCK * 1000 || performance.now() - began > WAITING)) {
      const stream = Buffer.from(new Uint8Array(shared, 8, Atomics.load(head, 1)))
      // The main thread, through which a worker's own output goes, is stuck.
      writeSync(STDERR, `case ${cases - 1} hangs: ${stream.toString('hex')}\n`)
      process.kill(process.pid, 'SIGKILL')
    }
  }, INTERVAL)
}

if (!isMainThread && parentPort) watch(workerData)
