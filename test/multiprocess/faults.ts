import { subscribe } from 'node:diagnostics_channel'
import fs, { closeSync, existsSync, openSync, readdirSync, watch } from 'node:fs'
import { Socket } from 'node:net'
import { devNull } from 'node:os'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Endpoint } from '../../src'
import type { Consumption, Turnover } from './fault-procedures'
import { fields } from './parse'

/** Milliseconds between two checks of a blocked event loop. */
const INTERVAL = 20

/** Blocks the event loop until there is a file at this path. */
export function blockUntil(path: string): void {
  const never = new Int32Array(new SharedArrayBuffer(4))
  while (!existsSync(path)) Atomics.wait(never, 0, 0, INTERVAL)
}

/** Moves the wall clock of this process. */
export function shiftDate(milliseconds: number): void {
  const { now } = Date
  Date.now = () => now() + milliseconds
  globalThis.Date = new Proxy(Date, {
    construct: (target, args, newTarget) =>
      Reflect.construct(target, args.length > 0 ? args : [target.now()], newTarget),
  })
}

/** Takes all file descriptors of this process. */
export class Hoard {
  readonly #descriptors: number[] = []
  #isGreedy = false

  fill(): void {
    this.#isGreedy = true
    try {
      while (this.#isGreedy) this.#descriptors.push(openSync(devNull, 'r'))
    } catch (error) {
      if (fields(error).code !== 'EMFILE') throw error
    }
  }

  /** Takes descriptors that have become free, if it holds all others. */
  refill(): void {
    if (this.#isGreedy) this.fill()
  }

  release(): void {
    this.#isGreedy = false
    for (const descriptor of this.#descriptors.splice(0)) closeSync(descriptor)
  }
}

/** Collects the error codes of sockets and of opened socket files from now on. */
export function collectSocketFailures(): readonly string[] {
  const codes: string[] = []
  subscribe('net.client.socket', (message) => {
    const { socket } = fields(message)
    if (socket instanceof Socket) socket.on('error', (error) => codes.push(String(fields(error).code)))
  })
  const open = fs.openSync
  fs.openSync = (path, ...how) => {
    try {
      return open(path, ...how)
    } catch (error) {
      if (String(path).endsWith('.sock')) codes.push(String(fields(error).code))
      throw error
    }
  }
  return codes
}

/** The error code of an attempt to watch the directory. */
export function watchFailure(directory: string): string | undefined {
  try {
    watch(directory).close()
    return undefined
  } catch (error) {
    return String(fields(error).code)
  }
}

export function consumption(): Consumption {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
  const { heapUsed, external, rss } = process.memoryUsage()
  return {
    descriptors: readdirSync('/proc/self/fd').length,
    resources: process.getActiveResourcesInfo().sort(),
    held: heapUsed + external,
    resident: rss,
  }
}

/** Starts and closes endpoints, several at a time. */
export async function turnOver({ directory, cycles, width }: Turnover): Promise<void> {
  let begun = 0
  const visit = async (name: string) => {
    while (begun++ < cycles) {
      const visitor = await Endpoint.start({ name, directory, watch: false })
      await visitor.close()
    }
  }
  await Promise.all(Array.from({ length: width }, (_, index) => visit(`visitor-${index}`)))
}
