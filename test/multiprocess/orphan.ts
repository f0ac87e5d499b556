import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Endpoint } from '../../src/index'

/** Joins a bus through the root of another process, kills that process, and prints the reported error code. */
async function main([directory = '']: readonly string[]): Promise<void> {
  const other = spawn('sleep', ['1000'])
  await once(other, 'spawn')
  const endpoint = await Endpoint.start({ name: 'one', directory: `/proc/${other.pid}/root${directory}` })
  const refused = new Promise<{ code?: string }>((resolve) => endpoint.on('error', resolve))
  other.kill('SIGKILL')
  process.stdout.write(String((await refused).code))
  await endpoint.close()
}

void main(process.argv.slice(2))
