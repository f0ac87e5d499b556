import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { turn } from './workbench'

/** Runs the garbage collector. */
function collect(): void {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
}

/** Collects garbage twice, since buffers are freed only after the turn in which they become unreachable. */
export async function collectGarbage(): Promise<void> {
  for (let round = 0; round < 2; round++) {
    collect()
    await turn()
  }
}

/** Bytes of the heap that are still reachable. */
export function heapUsed(): number {
  collect()
  return process.memoryUsage().heapUsed
}
