import type { JudgedHistory } from './judged-history'
import type { Life, Subscribed } from './life'
import type { Violation } from './violation'

/** Bytes that come or go at a place of the history. */
interface Change {
  readonly index: number
  /** Which of the links between the two they are on, counted by the sender. */
  readonly link: number
  readonly bytes: number
}

/**
 * That what one sender has under way to one receiver is no more than its outbox and the receiver's window take (G7). Each
 * link has both anew, and what has come over one that is lost may be in the receiver's hands still: each is judged alone.
 */
export function* judgeBounds(history: JudgedHistory): Generator<Violation> {
  for (const subscription of history.subscriptions()) {
    if (subscription.record.queue !== undefined) continue
    for (const sender of new Set(subscription.received.map(({ record }) => record.sender))) {
      const life = history.lives.get(sender)
      if (life) yield* judgePair(subscription, life)
    }
  }
}

function* judgePair(subscription: Subscribed, sender: Life): Generator<Violation> {
  const { life } = subscription
  const { frameBytes, outboxBytes } = sender.starting.record.limits
  // One event may be over the outbox, and one over the window.
  const bound = outboxBytes + life.starting.record.limits.windowBytes + 2 * frameBytes
  const bytes = new Map<number, number>()
  for (const { index, link, bytes: change } of changesOf(subscription, sender)) {
    const underWay = (bytes.get(link) ?? 0) + change
    bytes.set(link, underWay)
    if (underWay <= bound) continue
    const message = `${underWay} bytes of ${sender.label} were under way to ${life.label}, and ${bound} is the most`
    yield { guarantee: 'G7', message, index }
    return
  }
}

/** Of all events that arrive in the end: each from its broadcast to the end of its handler. */
function changesOf({ life, received, handled }: Subscribed, sender: Life): Change[] {
  const changes: Change[] = []
  const links = sender.acquaintances.get(life.id ?? '') ?? []
  for (const { index, record } of received) {
    const sent = record.sender === sender.label ? sender.sent.get(record.event) : undefined
    if (!sent) continue
    const { size } = sent.record
    const link = links.filter(({ ended }) => ended < sent.index).length
    changes.push({ index: sent.index, link, bytes: size })
    changes.push({ index: handled.get(`${record.sender} ${record.event}`) ?? index, link, bytes: -size })
  }
  return changes.sort((one, other) => one.index - other.index)
}
