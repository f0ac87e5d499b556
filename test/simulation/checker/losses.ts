import type { JudgedHistory } from './judged-history'
import type { Acquaintance, Life, Placed, Subscribed } from './life'
import { isMeant, standsFor } from './meaning'
import type { Violation } from './violation'

/** The events of one sender for one subscription on one link. */
interface Due {
  readonly link: Acquaintance
  readonly events: readonly Placed<'sent'>[]
}

/** All missing events are reported (G5), and none is missing without a cause (G6). */
export function* judgeLosses(history: JudgedHistory): Generator<Violation> {
  for (const subscription of history.subscriptions()) {
    if (subscription.record.queue !== undefined) continue
    for (const sender of history.lives.values()) {
      const received = new Map<number, number>()
      for (const { index, record } of subscription.received) {
        if (record.sender === sender.label) received.set(record.event, index)
      }
      for (const due of duesOf(subscription, sender)) {
        yield* judgeGaps(due, subscription, sender, received)
        yield* judgeRest(history, due, subscription, sender, received)
      }
    }
  }
  for (const life of history.lives.values()) yield* judgeCounts(history, life)
}

function duesOf(subscription: Subscribed, sender: Life): Due[] {
  const { life } = subscription
  const isOwn = life === sender
  const known = isOwn ? subscription.index : subscription.ready
  const own: Acquaintance = { joined: sender.started, ended: sender.over, how: 'open', loss: 0 }
  const links = isOwn ? [own] : (sender.acquaintances.get(life.id ?? '') ?? [])
  const end = Math.min(subscription.unsubscribed, life.over)
  // A sender that has not noticed the end of its link yet could not be told of the subscription.
  const told = life.acquaintances.get(sender.id ?? '')?.filter(({ ended }) => known < ended) ?? []
  const meant = [...sender.sent.values()].filter(({ index, record }) => {
    const isTold = isOwn || told.some(({ joined }) => joined < index)
    return known < index && index < end && isTold && isMeant(subscription, record, sender)
  })
  return links.map((link) => {
    return {
      link,
      events: meant.filter(({ index }) => link.joined < index && index < Math.min(link.ended, sender.over)),
    }
  })
}

/** Missing events are reported before the next event is received. */
function* judgeGaps(
  { link, events }: Due,
  subscription: Subscribed,
  sender: Life,
  received: ReadonlyMap<number, number>,
): Generator<Violation> {
  let missing = 0
  for (const { record } of events) {
    const index = received.get(record.event)
    if (index === undefined) missing++
    else if (missing > 0) {
      const told = gapsBetween(subscription.life, sender.name, link.joined, index)
      if (told >= missing) continue
      const what = `${subscription.life.label} has got event ${record.event} of ${sender.label}`
      const message = `${what}, and ${missing} before it are missing at subscription ${subscription.record.subscription}, but it was told of ${told}`
      yield { guarantee: 'G5', message, index }
      return
    }
  }
}

/** Once everything has had time to arrive, missing events were reported: to the receiver as gap, or to the sender as lost. */
function* judgeRest(
  history: JudgedHistory,
  { link, events }: Due,
  subscription: Subscribed,
  sender: Life,
  received: ReadonlyMap<number, number>,
): Generator<Violation> {
  const { life } = subscription
  const end = Math.min(subscription.unsubscribed, life.ending)
  const quiet = history.quiet.findLast((index) => index < end)
  if (quiet === undefined) return
  const missing = events.filter(({ index, record }) => index < quiet && !received.has(record.event))
  const [first] = missing
  if (!first) return
  const goodbye = life.acquaintances.get(sender.id ?? '')?.some(({ how, ended }) => how === 'left' && ended < quiet)
  const isOpen = link.how === 'open' && quiet < sender.ending
  const isLost = link.how === 'lost' && link.ended < quiet
  if (!isOpen && !isLost && !(link.how === 'open' && goodbye)) return
  const told = gapsBetween(life, sender.name, link.joined, quiet) + (isLost ? link.loss : 0)
  if (told >= missing.length) return
  const numbers = missing.map(({ record }) => record.event).slice(0, 10)
  const what = `${missing.length} events of ${sender.label} (${numbers.join(', ')} …) have not come to subscription ${subscription.record.subscription} of ${life.label}`
  const guarantee = isLost ? 'G5' : !isOpen ? 'G12' : told > 0 ? 'G5' : 'G6'
  yield { guarantee, message: `${what}, and ${told} were told of`, index: first.index }
}

/** Events that the endpoint was told are missing, of all senders of a name, between two indexes. */
export function gapsBetween(life: Life, name: string, from: number, to: number): number {
  const gaps = life.gaps.filter(({ index, record }) => record.peer === name && from < index && index < to)
  return gaps.reduce((sum, { record }) => sum + record.count, 0)
}

/** No more events were reported missing than can be. */
function* judgeCounts(history: JudgedHistory, life: Life): Generator<Violation> {
  const subscriptions = [...life.subscriptions.values()]
  for (const name of new Set(life.gaps.map(({ record }) => record.peer))) {
    const told = gapsBetween(life, name, -1, Number.POSITIVE_INFINITY)
    let most = 0
    for (const sender of [...history.lives.values()].filter((candidate) => candidate.name === name)) {
      most += wantedFrames(sender, subscriptions) - receivedFrames(sender, subscriptions)
    }
    if (told <= most) continue
    const message = `${life.label} was told of ${told} events of ${name} that are missing, but at most ${most} are`
    yield { guarantee: 'G5', message, index: life.gaps[0]?.index ?? 0 }
  }
}

/** How often events of the sender may have been sent there: once for all its subscriptions, and once for each queue. */
function wantedFrames(sender: Life, subscriptions: readonly Subscribed[]): number {
  let frames = 0
  for (const { record } of sender.sent.values()) {
    const wanting = subscriptions.filter(({ record: { type } }) => standsFor(type, record.type))
    frames += new Set(wanting.map(({ record: { queue } }) => queue)).size
  }
  return frames
}

function receivedFrames(sender: Life, subscriptions: readonly Subscribed[]): number {
  const frames = new Set<string>()
  for (const { record, received } of subscriptions) {
    for (const delivery of received) {
      if (delivery.record.sender === sender.label) frames.add(`${record.queue} ${delivery.record.event}`)
    }
  }
  return frames.size
}
