import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { Endpoint } from 'lahja'
import { median } from '../measure/median'
import { now } from '../workers/clock'
import { inScratchDirectory } from '../workers/scratch-directory'

type Sender = 'lahja' | 'sockets'

/** Counts what arrives from the processes. */
interface Receiver {
  readonly received: () => number
  readonly close: () => Promise<unknown>
}

const RECEIVERS: Readonly<Record<Sender, (directory: string) => Promise<Receiver>>> = {
  async lahja(directory) {
    let received = 0
    const endpoint = await Endpoint.start({ name: 'receiver', directory })
    await endpoint.subscribe('bench.shot', () => void received++).ready
    return { received: () => received, close: () => endpoint.close() }
  },
  async sockets(directory) {
    let received = 0
    // Ends its side when the process has ended the other.
    const server = createServer((socket) => void socket.once('data', () => void received++))
    server.listen(join(directory, 'receiver.sock'))
    await once(server, 'listening')
    return { received: () => received, close: async () => server.close() }
  },
}

/**
 * Runs processes one after another, each of which starts, sends one event, and ends.
 *
 * @returns the median of their times, in milliseconds
 */
export async function oneShot(sender: Sender, processes: number): Promise<number> {
  return inScratchDirectory(async (directory) => {
    const receiver = await RECEIVERS[sender](directory)
    try {
      const times: number[] = []
      for (let turn = 0; turn < processes; turn++) times.push(await timeOf(sender, directory))
      if (receiver.received() !== processes) throw new Error(`${receiver.received()} of ${processes} events arrived`)
      return median(times)
    } finally {
      await receiver.close()
    }
  })
}

async function timeOf(sender: Sender, directory: string): Promise<number> {
  const script = join(__dirname, sender === 'lahja' ? 'one-shot-endpoint.js' : 'one-shot-socket.js')
  const startedAt = now()
  const [code] = await once(spawn(process.execPath, [script, directory], { stdio: 'inherit' }), 'exit')
  if (code !== 0) throw new Error(`a process that sends one event has ended with ${code}`)
  return (now() - startedAt) / 1000
}
