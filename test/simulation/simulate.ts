import { fork } from 'node:child_process'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { loadCore } from './core'
import { type Extent, isProfile, PROFILE_NAMES } from './plan'
import { reportOf, tryOut } from './trial'

const USAGE = `npm run simulate -- [options]
  --seeds N      how many seeds to try (1000)
  --from N       the first of them (1)
  --endpoints N  names on the bus (4)
  --steps N      things that happen before everything heals (60)
  --profile P    the profile of every seed (each seed has its own)
  --workers N    processes that share the work (as many as there are cores)`

/** Seeds between two lines of progress. */
const PROGRESS = 500

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    from: { type: 'string', default: '1' },
    stride: { type: 'string', default: '1' },
    endpoints: { type: 'string', default: '4' },
    steps: { type: 'string', default: '60' },
    workers: { type: 'string', default: String(availableParallelism()) },
    profile: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})

function numberOf(option: 'seeds' | 'from' | 'stride' | 'endpoints' | 'steps' | 'workers'): number {
  const value = Number(values[option])
  if (Number.isSafeInteger(value) && value >= 0) return value
  throw new TypeError(`--${option}: expected a whole number, got ${values[option]}`)
}

function profileOf(): Pick<Extent, 'profile'> {
  const { profile } = values
  if (profile === undefined) return {}
  if (isProfile(profile)) return { profile }
  throw new TypeError(`--profile: expected one of ${PROFILE_NAMES.join(', ')}, got ${profile}`)
}

/** Runs every nth seed. Returns the number of failed ones. */
async function tryAll(): Promise<number> {
  const [seeds, from, stride] = [numberOf('seeds'), numberOf('from'), numberOf('stride')]
  const extent = { endpoints: numberOf('endpoints'), steps: numberOf('steps'), ...profileOf() }
  const core = loadCore()
  let failures = 0
  for (let seed = from; seed < from + seeds; seed += stride) {
    const trial = await tryOut(core, seed, extent)
    if (trial.violations.length > 0) {
      failures++
      console.log(reportOf(trial, extent))
    }
    const tried = seed - from + 1
    if (tried % PROGRESS < stride) console.log(`${tried} of ${seeds} seeds up to ${seed}, ${failures} failures here`)
  }
  return failures
}

/** Runs the seeds in several processes. Returns the number of processes with failed seeds. */
async function share(workers: number): Promise<number> {
  const [seeds, from] = [numberOf('seeds'), numberOf('from')]
  const common = ['endpoints', 'steps'] as const
  const own = values.profile === undefined ? [] : ['--profile', values.profile]
  const rest = [...common.flatMap((option) => [`--${option}`, String(values[option])]), ...own]
  const codes = Array.from({ length: workers }, async (_, index) => {
    const part = ['--from', from + index, '--seeds', seeds - index, '--stride', workers, '--workers', 1]
    const [code] = await once(fork(__filename, [...part.map(String), ...rest]), 'exit')
    return code
  })
  return (await Promise.all(codes)).filter((code) => code !== 0).length
}

async function simulate(): Promise<void> {
  if (values.help) return console.log(USAGE)
  const began = performance.now()
  const workers = Math.min(numberOf('workers'), Math.max(numberOf('seeds'), 1))
  const failures = workers > 1 ? await share(workers) : await tryAll()
  if (failures > 0) process.exitCode = 1
  const seconds = Math.round((performance.now() - began) / 1000)
  const isPart = numberOf('stride') > 1
  if (!isPart) console.log(`${values.seeds} seeds in ${seconds} s: ${failures > 0 ? 'violations' : 'no violation'}`)
}

void simulate()
