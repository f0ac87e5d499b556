import type { JudgedHistory } from './judged-history'
import type { Life, Placed, Subscribed } from './life'
import { isMeant } from './meaning'
import type { Violation } from './violation'

/** Each delivery is unaltered, subscribed to, the first, and in order (G1 to G4). */
export function* judgeDeliveries(history: JudgedHistory): Generator<Violation> {
  const shares = new Map<string, string>()
  for (const subscription of history.subscriptions()) {
    const last = new Map<string, number>()
    const seen = new Set<string>()
    for (const delivery of subscription.received) {
      const { index, record } = delivery
      const what = `event ${record.event} of ${record.sender} at subscription ${record.subscription} of ${record.endpoint}`
      const sender = history.lives.get(record.sender)
      const flaw = falsehood(delivery, sender)
      if (flaw || !sender) {
        yield { guarantee: 'G1', message: `${what}: ${flaw}`, index }
        continue
      }
      const reason = phantom(subscription, delivery, sender)
      if (reason) yield { guarantee: 'G2', message: `${what}: ${reason}`, index }
      const key = `${record.sender} ${record.event}`
      const { queue } = subscription.record
      const isAgain = queue !== undefined && sender.sent.get(record.event)?.record.isRedelivered === true
      if (seen.has(key) && !isAgain) yield { guarantee: 'G3', message: `${what}: for the second time`, index }
      seen.add(key)
      const earlier = last.get(record.sender) ?? 0
      if (queue === undefined) {
        if (record.event < earlier) yield { guarantee: 'G4', message: `${what}: after event ${earlier}`, index }
        last.set(record.sender, record.event)
        continue
      }
      const share = `${queue} ${key}`
      const other = shares.get(share)
      if (other !== undefined && !isAgain)
        yield { guarantee: 'G3', message: `${what}: queue ${queue} had it at ${other}`, index }
      shares.set(share, record.endpoint)
    }
  }
}

/** How a delivered event differs from the sent one. */
function falsehood({ index, record }: Placed<'received'>, sender: Life | undefined): string | undefined {
  const sent = sender?.sent.get(record.event)
  if (!sender || !sent || sent.index > index) return 'it was never sent'
  if (sent.record.digest !== record.digest) return 'it is not what was sent'
  const headers = sent.record.headers ?? 0
  if (record.headers !== undefined && record.headers !== headers) return 'its headers are not those that were sent'
  if (sent.record.type !== record.type) return `it was sent as ${sent.record.type}`
  if (sender.name !== record.origin) return `it came as an event of ${record.origin}`
  return undefined
}

/** Why an event should not have been delivered there. */
function phantom(subscription: Subscribed, { index, record }: Placed<'received'>, sender: Life): string | undefined {
  const sent = sender.sent.get(record.event)
  if (sent && !isMeant(subscription, sent.record, sender)) return 'it is not meant for it'
  if (index > subscription.unsubscribed) return 'it had unsubscribed'
  if (index > subscription.life.over && !subscription.record.isStream) return 'the endpoint was closed'
  return undefined
}
