import type { JudgedHistory } from './judged-history'
import type { Acquaintance, Life } from './life'
import type { Violation } from './violation'

/** Maximum milliseconds of a handshake, with the turns before and after it. */
const HANDSHAKE = 1000

/** Maximum milliseconds for which a message is in flight. */
const STALL = 5000

/** Causes with which a link may end without a fault. */
const REFUSALS = ['LAHJA_OUTBOX_OVERFLOW', 'LAHJA_LINK_REFUSED']

/** Peers are found in time (G9), leave with a goodbye (G12), and are not lost without a reason (G13). */
export function* judgeMembership(history: JudgedHistory): Generator<Violation> {
  for (const [index, record] of history.records.entries()) {
    const life = history.lives.get(record.endpoint)
    if (!life) continue
    if (record.kind === 'acquainted') yield* judgeView(history, life, index)
    if (record.kind === 'leftover') {
      const message = `${life.label} has closed, and has left ${record.count} ${record.what} behind`
      yield { guarantee: 'G12', message, index }
    }
  }
  for (const life of history.lives.values()) {
    for (const [id, links] of life.acquaintances) {
      const peer = history.withId(id)
      for (const link of links) if (peer) yield* judgeEnd(history, life, peer, link)
      yield* judgeOneness(life, id, links)
    }
    for (const peer of history.lives.values()) yield* judgeFinding(history, life, peer)
  }
}

/** Each endpoint knows exactly the endpoints that are up, with their interests. */
function* judgeView(history: JudgedHistory, life: Life, index: number): Generator<Violation> {
  const record = history.records[index]
  if (record?.kind !== 'acquainted') return
  const others = [...history.lives.values()].filter((other) => other !== life && other.isUpAt(index))
  const known = record.peers.map(({ id }) => history.withId(id)?.label ?? id).sort()
  const expected = others.map(({ label }) => label).sort()
  if (known.join() !== expected.join()) {
    const message = `${life.label} knows ${known.join(', ') || 'nobody'}, and there are ${expected.join(', ') || 'none'}`
    yield { guarantee: 'G9', message, index }
  }
  for (const { id, subscriptions, responds } of record.peers) {
    const own = history.viewOf(history.withId(id)?.label ?? '', record.at)
    if (!own) continue
    const [got, want] = [
      [...subscriptions, ...responds],
      [...own.subscriptions, ...own.responds],
    ].map(String)
    if (got === want) continue
    const message = `${life.label} thinks that ${own.endpoint} wants ${got}, and it wants ${want}`
    yield { guarantee: 'G9', message, index }
  }
}

function* judgeOneness({ label }: Life, id: string, links: readonly Acquaintance[]): Generator<Violation> {
  for (const [place, link] of links.entries()) {
    const next = links[place + 1]
    if (!next || link.ended < next.joined) continue
    yield { guarantee: 'G3', message: `${label} has two links with ${id}`, index: next.joined }
  }
}

function* judgeEnd(
  history: JudgedHistory,
  life: Life,
  peer: Life,
  { how, joined, ended }: Acquaintance,
): Generator<Violation> {
  const record = history.records[ended]
  if (how === 'left' && ended < peer.closing) {
    yield {
      guarantee: 'G12',
      message: `${life.label} was told that ${peer.label} had left, and it had not`,
      index: ended,
    }
  }
  if (how !== 'lost' || record?.kind !== 'lost') return
  // Until both have taken it up it is no more than a handshake, and what ends that need not be told to this side.
  const isMutual = peer.acquaintances.get(life.id ?? '')?.some((link) => link.joined < ended && link.ended > joined)
  const isGone = Math.min(peer.ending, life.ending) < ended
  const isRefused = REFUSALS.includes(record.cause) || hasRefused(history, peer, life, joined, ended)
  const isCut = history.records.some(({ kind, endpoint, at }, index) => {
    return (
      kind === 'cut' &&
      history.time(joined) - STALL < at &&
      index < ended &&
      [life.label, peer.label].includes(endpoint)
    )
  })
  if (!isMutual || isGone || isRefused || isCut) return
  const message = `${life.label} has given ${peer.label} up for ${record.cause}, and nothing had happened to it`
  yield { guarantee: 'G13', message, index: ended }
}

/** Whether the other side closed the link because of a slow peer. Its goodbye may be lost. */
function hasRefused(history: JudgedHistory, peer: Life, life: Life, joined: number, ended: number): boolean {
  const links = peer.acquaintances.get(life.id ?? '') ?? []
  return links.some((link) => {
    const record = history.records[link.ended]
    const isMeanwhile = joined < link.ended && history.time(link.ended) < history.time(ended) + STALL
    return record?.kind === 'lost' && REFUSALS.includes(record.cause) && isMeanwhile
  })
}

/** Two endpoints that are up without faults are linked within two rescans. */
function* judgeFinding(history: JudgedHistory, life: Life, peer: Life): Generator<Violation> {
  if (life === peer) return
  const both = Math.max(life.started, peer.started)
  if (!Number.isFinite(both)) return
  const { rescanInterval } = life.starting.record.limits
  const deadline = history.time(both) + 2 * rescanInterval + HANDSHAKE
  const end = history.placeAfter(deadline)
  if (end === history.records.length || Math.min(life.ending, peer.ending) < end) return
  if (history.isDisturbed(Math.min(life.starting.index, peer.starting.index), end)) return
  const link = life.acquaintances.get(peer.id ?? '')?.[0]
  if (link && link.joined <= end) return
  const message = `${life.label} and ${peer.label} were both there, and not linked within ${2 * rescanInterval + HANDSHAKE} ms`
  yield { guarantee: 'G9', message, index: end }
}
