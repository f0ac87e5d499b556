import { resultOf } from './figures'
import { type Plan, planOf, USAGE, UsageError } from './plan'
import { endProgress, showProgress } from './progress'
import { reportOf } from './report'
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

async function runRounds(plan: Plan, signal: AbortSignal): Promise<Round[]> {
  const rounds: Round[] = []
  try {
    for (let number = 1; number <= plan.rounds; number++) {
      const title = plan.rounds > 1 ? `round ${number} of ${plan.rounds}: ` : ''
      showProgress(`${title}starting ${plan.processes + 1} processes`)
      const onProgress = (sent: number) =>
        showProgress(`${title}${sent === 0 ? 'everyone is ready' : `${Math.round((100 * sent) / plan.events)} % sent`}`)
      rounds.push(await runRound(plan, onProgress, signal))
    }
  } finally {
    endProgress()
  }
  return rounds
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
