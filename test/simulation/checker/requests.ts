import type { HistoryRecord, RecordOf } from '../record'
import type { JudgedHistory } from './judged-history'
import type { Life } from './life'
import type { Violation } from './violation'

/** Maximum milliseconds of a response without faults. */
const DELIVERY = 1000

/** Milliseconds allowed for turns of the loop. */
const SLACK = 100

interface Question {
  readonly index: number
  readonly asked: RecordOf<'asked'>
  readonly begun: string[]
  readonly replies: string[]
  /** The time at which the first handler ended. */
  answered: number
  settled: number
}

/** Each request settles once, in time, with its own response, and is handled at most once (G11). */
export function* judgeRequests(history: JudgedHistory): Generator<Violation> {
  const questions = new Map<string, Question>()
  for (const [index, record] of history.records.entries()) {
    if (record.kind === 'asked') {
      const question = { index, asked: record, begun: [], replies: [], answered: Number.POSITIVE_INFINITY, settled: 0 }
      questions.set(`${record.endpoint} ${record.request}`, question)
    }
    if (record.kind === 'answered') {
      const question = questions.get(`${record.asker} ${record.request}`)
      if (question) question.answered = Math.min(question.answered, record.at)
    }
    const flaw = noteAnswer(questions, record)
    if (flaw) yield { guarantee: 'G11', message: flaw, index }
    if (record.kind === 'settled') yield* judgeTime(history, questions, record, index)
  }
  const quiet = history.quiet.at(-1) ?? -1
  for (const [name, { index, settled, asked }] of questions) {
    const life = history.lives.get(asked.endpoint)
    if (settled > 0 || index > quiet || (life && life.killed < Number.POSITIVE_INFINITY)) continue
    yield { guarantee: 'G11', message: `request ${name} has not settled`, index }
  }
}

/** Adds a record. Returns its violation, if any. */
function noteAnswer(questions: ReadonlyMap<string, Question>, record: HistoryRecord): string | undefined {
  if (record.kind !== 'begun' && record.kind !== 'replied' && record.kind !== 'settled') return undefined
  const name = `${record.kind === 'begun' ? record.asker : record.endpoint} ${record.request}`
  const question = questions.get(name)
  if (!question) return `request ${name} was never asked`
  if (record.kind === 'settled') {
    question.settled++
    return question.settled > 1 ? `request ${name} has settled twice` : undefined
  }
  if (record.kind === 'begun') {
    const isAgain = question.asked.all ? question.begun.includes(record.endpoint) : question.begun.length > 0
    question.begun.push(record.endpoint)
    return isAgain ? `request ${name} was handled twice, by ${question.begun.join(' and ')}` : undefined
  }
  if (!record.correct) return `request ${name} was answered with the response to another`
  const isAgain = question.asked.all ? question.replies.includes(record.origin) : question.replies.length > 0
  question.replies.push(record.origin)
  return isAgain ? `request ${name} has had two replies, of ${question.replies.join(' and ')}` : undefined
}

function* judgeTime(
  history: JudgedHistory,
  questions: ReadonlyMap<string, Question>,
  record: RecordOf<'settled'>,
  index: number,
): Generator<Violation> {
  const question = questions.get(`${record.endpoint} ${record.request}`)
  const life: Life | undefined = history.lives.get(record.endpoint)
  if (!question || !life) return
  const isIgnored = record.outcome === 'LAHJA_REQUEST_TIMEOUT' && question.answered < record.at - DELIVERY
  if (isIgnored && !history.isDisturbed(question.index, index)) {
    yield { guarantee: 'G11', message: `request ${record.request} of ${life.label} was answered, and ran out`, index }
  }
  const took = record.at - question.asked.at - life.frozenFor(question.asked.at, record.at)
  if (took <= question.asked.timeout + SLACK) return
  const message = `request ${record.request} of ${life.label} took ${took} ms, with a timeout of ${question.asked.timeout}`
  yield { guarantee: 'G11', message, index }
}
