import type { JudgedHistory } from './judged-history'
import type { Acquaintance, Life, Subscribed } from './life'
import { gapsBetween } from './losses'
import { isMeant } from './meaning'
import type { Violation } from './violation'

/** Maximum milliseconds for which a message is in flight. */
const STALL = 5000

/** Milliseconds allowed for the turns and messages of a close, beside its handlers. */
const SLACK = 100

/** An endpoint that closes has handled what it was sent before, or its sender is told of the rest (G12). */
export function* judgeCloses(history: JudgedHistory): Generator<Violation> {
  for (const life of history.lives.values()) {
    if (!Number.isFinite(life.closing)) continue
    for (const sender of history.lives.values()) {
      const link = sender.acquaintances
        .get(life.id ?? '')
        ?.find(({ how, ended }) => how === 'left' && life.closing < ended)
      if (!link || link.unhandled === undefined) continue
      yield* judgeRemainder(life, sender, link, link.unhandled)
      yield* judgeTime(history, life, sender, link, link.unhandled)
    }
  }
}

/** Nothing that was sent before the close is missing without a report. */
function* judgeRemainder(life: Life, sender: Life, link: Acquaintance, unhandled: number): Generator<Violation> {
  const told = unhandled + gapsBetween(life, sender.name, link.joined, Number.POSITIVE_INFINITY)
  for (const subscription of life.subscriptions.values()) {
    const missing = missingAt(subscription, sender, link)
    const [first] = missing
    if (first === undefined || missing.length <= told) continue
    const what = `${missing.length} events of ${sender.label} have not come to subscription ${subscription.record.subscription} of ${life.label}, which has closed`
    yield { guarantee: 'G12', message: `${what}, and ${told} were told of`, index: first }
    return
  }
}

/** The indexes of events that were sent to a subscription before its endpoint closed, and that it has not received. */
function missingAt(subscription: Subscribed, sender: Life, link: Acquaintance): number[] {
  const { record, life, ready, unsubscribed, received } = subscription
  if (record.queue !== undefined || unsubscribed < link.ended || sender === life) return []
  // A sender is told of the subscription on each link again.
  const known = Math.max(ready, link.joined)
  const seen = new Set(
    received.filter(({ record }) => record.sender === sender.label).map(({ record }) => record.event),
  )
  return [...sender.sent.values()]
    .filter(({ index, record }) => known < index && index < life.closing && !seen.has(record.event))
    .filter(({ record }) => isMeant(subscription, record, sender))
    .map(({ index }) => index)
}

/** An endpoint that closes before half of its timeout is over, without a fault, has handled everything. */
function* judgeTime(
  history: JudgedHistory,
  life: Life,
  sender: Life,
  link: Acquaintance,
  unhandled: number,
): Generator<Violation> {
  if (unhandled === 0 || life.timeout === undefined || !Number.isFinite(life.closed)) return
  const took = history.time(life.closed) - history.time(life.closing)
  // A sender that doesn't answer within patience is not waited for.
  if (took + SLACK >= life.timeout / 2 || life.starting.record.limits.patience < SLACK) return
  const before = history.placeAfter(history.time(life.closing) - STALL)
  if (history.isDisturbed(before, life.closed)) return
  const message = `${life.label} has closed after ${took} of ${life.timeout} ms, with ${unhandled} events of ${sender.label} unhandled`
  yield { guarantee: 'G12', message, index: link.ended }
}
