import { parseArgs } from 'node:util'
import { check } from './checker'
import { loadCore } from './core'
import { play } from './scenario'

async function main() {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '100' },
      from: { type: 'string', default: '1' },
      endpoints: { type: 'string', default: '4' },
      steps: { type: 'string', default: '60' },
      dump: { type: 'string' },
    },
  })
  const core = loadCore()
  const from = Number(values.from)
  for (let seed = from; seed < from + Number(values.seeds); seed++) {
    const history = await play(core, seed, { endpoints: Number(values.endpoints), steps: Number(values.steps) })
    const violations = check(history.records)
    if (values.dump) require('node:fs').writeFileSync(values.dump, history.lines().join('\n'))
    console.log(seed, history.hash, history.records.length, violations.length)
    for (const v of violations.slice(0, 5)) console.log('  ', v.guarantee, v.message, v.index)
  }
}
void main()
