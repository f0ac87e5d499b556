import type { JudgedHistory } from './judged-history'
import type { Violation } from './violation'

/** Milliseconds allowed for turns of the loop. */
const SLACK = 100

/** Each broadcast settles, and within the sender's patience (G8). */
export function* judgePatience(history: JudgedHistory): Generator<Violation> {
  const waiting = new Map<string, number>()
  for (const [index, record] of history.records.entries()) {
    const life = history.lives.get(record.endpoint)
    if (!life || (record.kind !== 'sent' && record.kind !== 'handed')) continue
    const key = `${record.endpoint} ${record.event}`
    if (record.kind === 'sent') {
      waiting.set(key, index)
      continue
    }
    const begun = waiting.get(key) ?? index
    const since = history.time(begun)
    const took = record.at - since - life.frozenFor(since, record.at)
    const { patience } = life.starting.record.limits
    if (took <= patience + SLACK) continue
    const message = `broadcast ${record.event} of ${life.label} took ${took} ms, with a patience of ${patience}`
    yield { guarantee: 'G8', message, index }
  }
}
