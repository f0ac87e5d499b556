import { type Plan, planOf, USAGE, UsageError } from './plan'
import { endProgress, showProgress } from './progress-line'
import { reportOf } from './report'
import { resultOf } from './result'
import { type Round, runRound } from './round'

async function main(): Promise<number> {
  const plan = planOf(process.argv.slice(2))
  if (!plan) {
    console.log(USAGE)
    return 0
  }
  const interruption = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => interruption.abort(new Error(`interrupted by ${signal}`)))
  }
  const result = resultOf(plan, await runRounds(plan, interruption.signal))
  console.log(plan.json ? JSON.stringify(result) : reportOf(result))
  return result.ok ? 0 : 1
}

async function runRounds({ work, rounds }: Plan, signal: AbortSignal): Promise<Round[]> {
  const done: Round[] = []
  try {
    for (let number = 1; number <= rounds; number++) {
      const title = rounds > 1 ? `round ${number} of ${rounds}: ` : ''
      showProgress(`${title}starting ${work.processes + 1} processes`)
      const onProgress = (events: number) => {
        const percent = Math.round((100 * events) / work.events)
        showProgress(`${title}${events === 0 ? 'everyone is ready' : `${percent} % done`}`)
      }
      done.push(await runRound(work, onProgress, signal))
    }
  } finally {
    endProgress()
  }
  return done
}

main().then(
  (code) => {
    process.exitCode = code
  },
  (error: unknown) => {
    const isUsage = error instanceof UsageError
    console.error(`bench: ${error instanceof Error ? error.message : String(error)}${isUsage ? `\n\n${USAGE}` : ''}`)
    process.exitCode = isUsage ? 2 : 1
  },
)
