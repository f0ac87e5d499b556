import type { HistoryRecord } from '../record'
import type { JudgedHistory } from './judged-history'
import type { Violation } from './violation'

/**
 * An ordered request is behind the events that its asker had sent to its responder (G11). A subscription that was busy
 * may still have them before it.
 */
export function* judgeRequestOrder(history: JudgedHistory): Generator<Violation> {
  const taking = new Set(history.records.flatMap((record) => (record.kind === 'handled' ? [receiptOf(record)] : [])))
  const lastSent = new Map<string, number>()
  /** The last event before each ordered request. */
  const behind = new Map<string, number>()
  const running = new Map<string, number>()
  /** The last event that must not come any more, by subscription and sender. */
  const passed = new Map<string, number>()
  const count = (key: string, change: number) => running.set(key, (running.get(key) ?? 0) + change)
  for (const [index, record] of history.records.entries()) {
    const { endpoint } = record
    if (record.kind === 'sent') lastSent.set(endpoint, record.event)
    else if (record.kind === 'asked' && record.ordered) {
      behind.set(`${endpoint} ${record.request}`, lastSent.get(endpoint) ?? 0)
    } else if (record.kind === 'begun') {
      const last = behind.get(`${record.asker} ${record.request}`)
      if (last === undefined) continue
      for (const { record: subscribed } of history.lives.get(endpoint)?.subscriptions.values() ?? []) {
        const key = `${endpoint} ${subscribed.subscription}`
        const isPlain = subscribed.queue === undefined && !subscribed.isStream
        if (isPlain && (running.get(key) ?? 0) === 0) passed.set(`${key} ${record.asker}`, last)
      }
    } else if (record.kind === 'received') {
      const key = `${endpoint} ${record.subscription}`
      if (record.event <= (passed.get(`${key} ${record.sender}`) ?? 0)) {
        const message = `${endpoint} received event ${record.event} of ${record.sender} behind a request that was ordered`
        yield { guarantee: 'G11', message, index }
      }
      if (taking.has(receiptOf(record))) count(key, 1)
    } else if (record.kind === 'handled') count(`${endpoint} ${record.subscription}`, -1)
  }
}

function receiptOf({ endpoint, subscription, sender, event }: Receipt): string {
  return `${endpoint} ${subscription} ${sender} ${event}`
}

type Receipt = Pick<Extract<HistoryRecord, { kind: 'handled' }>, 'endpoint' | 'subscription' | 'sender' | 'event'>
