import type { JudgedHistory } from './judged-history'
import type { Violation } from './violation'

/** Milliseconds allowed for turns of the loop. */
const SLACK = 100

/** Each broadcast settles within the sender's patience, which begins anew whenever a receiver has read something (G8). */
export function* judgePatience(history: JudgedHistory): Generator<Violation> {
  const waiting = new Map<string, number>()
  /** When an event of a sender was received last by somebody else, or handled. */
  const read = new Map<string, number>()
  /** Where a subscription has ended last: what still comes to it is read one by one, and nobody notes it. */
  let unsubscribed = 0
  /** Until when a connection is stalled: what a receiver has read is known only then. */
  let stalled = 0
  for (const [index, record] of history.records.entries()) {
    if (record.kind === 'received' || record.kind === 'handled') read.set(record.sender, record.at)
    if (record.kind === 'unsubscribed') unsubscribed = index
    if (record.kind === 'disturbed') stalled = Math.max(stalled, record.at + stallIn(record.what))
    const life = history.lives.get(record.endpoint)
    if (!life || (record.kind !== 'sent' && record.kind !== 'handed')) continue
    const key = `${record.endpoint} ${record.event}`
    if (record.kind === 'sent') {
      waiting.set(key, index)
      continue
    }
    const begun = waiting.get(key) ?? index
    if (unsubscribed > begun) continue
    const since = Math.max(history.time(begun), read.get(record.endpoint) ?? 0)
    const told = Math.max(since, Math.min(stalled, record.at))
    const took = record.at - told - life.frozenFor(told, record.at)
    const { patience } = life.starting.record.limits
    if (took <= patience + SLACK) continue
    const message = `broadcast ${record.event} of ${life.label} took ${took} ms, with a patience of ${patience}`
    yield { guarantee: 'G8', message, index }
  }
}

/** Milliseconds for which a disturbance stalls a connection. */
function stallIn(what: string): number {
  return Number(/^stalled for (\d+(?:\.\d+)?) ms$/.exec(what)?.[1] ?? 0)
}
