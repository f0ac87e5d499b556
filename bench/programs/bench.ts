import { resultOf } from '../measure/result'
import { type Round, runRound } from '../measure/round'
import { endProgress, showProgress } from '../report/progress-line'
import { resultTable } from '../report/result-table'
import type { Work } from '../workers/job'
import { parse, USAGE, workIn } from './bench-options'
import { runProgram, wholeNumber } from './program'

runProgram(USAGE, parse, async (values, signal) => {
  const work = workIn(values)
  const rounds = wholeNumber('rounds', values.rounds, 1, 1000)
  const result = resultOf(work, await runRounds(work, rounds, signal))
  console.log(values.json ? JSON.stringify(result) : resultTable(result))
  return result.ok ? 0 : 1
})

async function runRounds(work: Work, rounds: number, signal: AbortSignal): Promise<Round[]> {
  const done: Round[] = []
  for (let number = 1; number <= rounds; number++) {
    const title = rounds > 1 ? `round ${number} of ${rounds}: ` : ''
    showProgress(`${title}starting ${work.processes + 1} processes`)
    const onProgress = (events: number) => {
      const percent = Math.round((100 * events) / (work.warmUp + work.events))
      showProgress(`${title}${events === 0 ? 'everyone is ready' : `${percent} % done`}`)
    }
    done.push(await runRound(work, signal, { onProgress }))
  }
  endProgress()
  return done
}
