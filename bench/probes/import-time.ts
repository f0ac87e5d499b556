import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { median } from '../measure/median'
import { now } from '../workers/clock'

/**
 * Runs a script that imports this package and one that does nothing, in turns.
 *
 * @returns by how many milliseconds the first takes longer, from its start to its end
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
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], { cwd: __dirname, stdio: 'inherit' })
  const [code] = await once(child, 'exit')
  if (code !== 0) throw new Error(`expected a script that ends well, got code ${code}`)
  return (now() - startedAt) / 1000
}
