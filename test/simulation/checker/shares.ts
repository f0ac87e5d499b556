import type { JudgedHistory } from './judged-history'
import type { Life, Placed, Subscribed } from './life'
import { isMeant } from './meaning'
import type { Violation } from './violation'

/** Bytes of a payload that every endpoint takes. */
const ALWAYS_TAKEN = 3000

/** Each queue event reaches a member, unless there were faults (G6). */
export function* judgeShares(history: JudgedHistory): Generator<Violation> {
  const members = [...history.subscriptions()].filter(({ record }) => record.queue !== undefined)
  const quiet = history.quiet.at(-1)
  if (members.length === 0 || quiet === undefined) return
  const delivered = deliveredShares(members)
  for (const sender of history.lives.values()) {
    if (sender.hasLeftEvents || hasLost(history, sender)) continue
    for (const sent of sender.sent.values()) {
      if (sent.index > quiet) continue
      const meant = members.filter((member) => isMeant(member, sent.record, sender))
      if (meant.some(({ life }) => life.unhandled.has(sent.record.type))) continue
      for (const queue of new Set(meant.map(({ record }) => record.queue))) {
        // In a queue that keeps its events, a later one takes its place without a gap.
        const isReplaceable = sent.record.isReplaceable || sender.starting.record.overflow === 'latest'
        if (isReplaceable && meant.some(({ record }) => record.queue === queue && record.prefetch !== undefined))
          continue
        const isServed = meant.some((member) => member.record.queue === queue && isSteady(member, sent, sender, quiet))
        if (!isServed || delivered.has(`${queue} ${sender.label} ${sent.record.event}`)) continue
        const message = `event ${sent.record.event} of ${sender.label} has not come to any member of queue ${queue}`
        yield { guarantee: 'G6', message, index: sent.index }
      }
    }
  }
}

/**
 * What a queue keeps whose members all have `prefetch`, one of them steadily, comes to a member or is reported to its sender,
 * whatever becomes of the others (G5).
 */
export function* judgeKept(history: JudgedHistory): Generator<Violation> {
  const members = [...history.subscriptions()].filter(({ record }) => record.queue !== undefined)
  const quiet = history.quiet.at(-1)
  if (quiet === undefined) return
  const delivered = deliveredShares(members)
  const assigned = new Set(
    members.filter(({ record }) => record.prefetch === undefined).map(({ record }) => record.queue),
  )
  for (const sender of history.lives.values()) {
    // Its close has told it of what members had in hand, by their names.
    if (sender.ending < quiet || sender.starting.record.overflow === 'latest') continue
    for (const sent of sender.sent.values()) {
      const { event, isReplaceable, size } = sent.record
      if (sent.index > quiet || isReplaceable || size > ALWAYS_TAKEN || isToldBy(quiet, sender, event)) continue
      const steady = members.filter((member) => {
        return isMeant(member, sent.record, sender) && isSteady(member, sent, sender, quiet)
      })
      for (const { record } of steady) {
        const { queue } = record
        if (assigned.has(queue) || delivered.has(`${queue} ${sender.label} ${event}`)) continue
        if (isBehind(sent.record, queue, sender, quiet, delivered)) continue
        const what = `event ${event} of ${sender.label} has not come to any member of queue ${queue}`
        yield { guarantee: 'G5', message: `${what}, and its sender was told nothing`, index: sent.index }
      }
    }
  }
}

/**
 * An event that waits for a queue comes to a member of one or is reported to its sender, if all members that there have been
 * have `prefetch` (G5).
 */
export function* judgeHeld(history: JudgedHistory): Generator<Violation> {
  const members = [...history.subscriptions()].filter(({ record }) => record.queue !== undefined)
  const quiet = history.quiet.at(-1)
  if (quiet === undefined || members.some(({ record }) => record.prefetch === undefined)) return
  const delivered = new Set(
    members.flatMap(({ received }) => received.map(({ record }) => `${record.sender} ${record.event}`)),
  )
  for (const sender of history.lives.values()) {
    if (sender.ending < quiet || sender.starting.record.overflow === 'latest') continue
    for (const { index, record } of sender.sent.values()) {
      const { event, isHeld, size } = record
      if (!isHeld || index > quiet || size > ALWAYS_TAKEN) continue
      // A queue whose members have all gone keeps what it has taken, until its sender closes.
      const isTaken = members.some((member) => isMeant(member, record, sender))
      if (isToldBy(isTaken ? Number.POSITIVE_INFINITY : quiet, sender, event)) continue
      if (delivered.has(`${sender.label} ${event}`)) continue
      const what = `event ${event} of ${sender.label} waited for a queue and has come to no member of one`
      yield { guarantee: 'G5', message: `${what}, and its sender was told nothing`, index }
    }
  }
}

/** Members of a queue handle the events of one key and sender one after another, in order, if they all have `prefetch` (G4). */
export function* judgeKeys(history: JudgedHistory): Generator<Violation> {
  const members = [...history.subscriptions()].filter(({ record }) => record.queue !== undefined)
  const assigned = new Set(
    members.filter(({ record }) => record.prefetch === undefined).map(({ record }) => record.queue),
  )
  const begun = members
    .filter(({ record }) => !assigned.has(record.queue))
    .flatMap((member) => member.received.map((delivery) => ({ ...delivery, member })))
    .sort((one, other) => one.index - other.index)
  const last = new Map<string, (typeof begun)[number]>()
  for (const delivery of begun) {
    const { index, record, member } = delivery
    const partition = history.lives.get(record.sender)?.sent.get(record.event)?.record.partition
    if (partition === undefined) continue
    const key = `${member.record.queue} ${record.sender} ${partition}`
    const before = last.get(key)
    last.set(key, delivery)
    if (!before) continue
    const subject = `event ${record.event} of ${record.sender} was begun`
    if (record.event < before.record.event) {
      yield { guarantee: 'G4', message: `${subject} behind event ${before.record.event} of the same key`, index }
    }
    // What was reported may still be handled, by a member that was cut off: nobody waits for that.
    if (history.lives.get(record.sender)?.reported.has(before.record.event)) continue
    const ended = before.member.handled.get(`${record.sender} ${before.record.event}`) ?? 0
    if (before.member === member && ended > index) {
      yield { guarantee: 'G4', message: `${subject} beside event ${before.record.event} of the same key`, index }
    }
  }
}

/** Whether an event waits behind one of its key that maybe nobody in the queue may have, as it was addressed, or is large. */
function isBehind(
  { event, partition }: Placed<'sent'>['record'],
  queue: string | undefined,
  sender: Life,
  quiet: number,
  delivered: ReadonlySet<string>,
): boolean {
  if (partition === undefined) return false
  return [...sender.sent.values()].some(({ record }) => {
    const isForAll = record.to === undefined && record.except === undefined && record.internal !== true
    const isForAny = isForAll && record.size <= ALWAYS_TAKEN
    if (record.partition !== partition || record.event >= event || isForAny) return false
    return !delivered.has(`${queue} ${sender.label} ${record.event}`) && !isToldBy(quiet, sender, record.event)
  })
}

/** Whether the sender had been told by then that nobody gets the event: what it is told as it closes is too late. */
function isToldBy(index: number, sender: Life, event: number): boolean {
  return (sender.reported.get(event) ?? Number.POSITIVE_INFINITY) <= index
}

/** What has come to members, and has not died with them while it was handled. */
function deliveredShares(members: readonly Subscribed[]): Set<string> {
  const delivered = new Set<string>()
  for (const { record, received, handled, life } of members) {
    const isKilled = life.killed < Number.POSITIVE_INFINITY
    for (const { record: delivery } of received) {
      const { sender, event, isLong = false } = delivery
      if (isKilled && isLong && !handled.has(`${sender} ${event}`)) continue
      delivered.add(`${record.queue} ${sender} ${event}`)
    }
  }
  return delivered
}

/** Whether queue events of the sender may have been lost. */
function hasLost(history: JudgedHistory, sender: Life): boolean {
  if (sender.ending < Number.POSITIVE_INFINITY && sender.killed < Number.POSITIVE_INFINITY) return true
  for (const links of sender.acquaintances.values()) if (links.some(({ how }) => how !== 'open')) return true
  for (const life of history.lives.values()) {
    if (life.gaps.some(({ record }) => record.peer === sender.name)) return true
    if (life.acquaintances.get(sender.id ?? '')?.some(({ how }) => how === 'lost')) return true
  }
  // What a handler threw loses no event.
  return history.records.some((record) => {
    return record.kind === 'error' && record.endpoint === sender.label && record.code !== 'LAHJA_HANDLER_ERROR'
  })
}

/** Whether the member was up from before the event was sent until everything had arrived. */
function isSteady(member: Subscribed, sent: Placed<'sent'>, sender: Life, quiet: number): boolean {
  const { life, ready, unsubscribed } = member
  if (ready > sent.index || Math.min(unsubscribed, life.ending) < quiet) return false
  if (life === sender) return true
  return (
    sender.acquaintances.get(life.id ?? '')?.some(({ joined, ended }) => joined < sent.index && quiet < ended) === true
  )
}
