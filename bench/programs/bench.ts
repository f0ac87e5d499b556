import { resultOf } from '../measure/result'
import { type Round, runRound } from '../measure/round'
import { endProgress, showProgress } from '../report/progress-line'
import { reportOf } from '../report/result-table'
import { type Plan, planOf, USAGE } from './bench-options'
import { runProgram } from './program'

async function main(args: string[], signal: AbortSignal): Promise<number> {
  const plan = planOf(args)
  if (!plan) {
    console.log(USAGE)
    return 0
  }
  const result = resultOf(plan, await runRounds(plan, signal))
  console.log(plan.json ? JSON.stringify(result) : reportOf(result))
  return result.ok ? 0 : 1
}

async function runRounds({ work, rounds }: Plan, signal: AbortSignal): Promise<Round[]> {
  const done: Round[] = []
  for (let number = 1; number <= rounds; number++) {
    const title = rounds > 1 ? `round ${number} of ${rounds}: ` : ''
    showProgress(`${title}starting ${work.processes + 1} processes`)
    const onProgress = (events: number) => {
      const percent = Math.round((100 * events) / (work.warmUp + work.events))
      showProgress(`${title}${events === 0 ? 'everyone is ready' : `${percent} % done`}`)
    }
    done.push(await runRound(work, onProgress, signal))
  }
  endProgress()
  return done
}

runProgram(USAGE, main)
