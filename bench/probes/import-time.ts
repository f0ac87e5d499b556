import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { median } from '../measure/median'
import { now } from '../workers/clock'

/**
 * Runs a script that imports this package and an empty one, in turns.
 *
 * @returns the median of the differences, in milliseconds
 */
export async function importMilliseconds(turns: number): Promise<number> {
  const differences: number[] = []
  for (let turn = 0; turn < turns; turn++) {
    const empty = await run('')
    differences.push((await run("import 'lahja'")) - empty)
  }
  return median(differences)
}

async function run(script: string): Promise<number> {
  const startedAt = now()
  await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script], { cwd: __dirname })
  return (now() - startedAt) / 1000
}
