import type { Link } from './mesh/link'
import type { Interest } from './model/interest'

/** Another endpoint on the bus, as it was when this was read. */
export interface Peer {
  readonly name: string
  /** Of this one life of it: a restart has another. */
  readonly id: string
  readonly groups: readonly string[]
  readonly pid: number
  /** `lagging`: nobody waits for it. `unresponsive`: silent for long, but not gone. */
  readonly state: 'connected' | 'lagging' | 'unresponsive'
  /** The types and patterns it is subscribed to. */
  readonly subscriptions: readonly string[]
  /** The types of requests it responds to. */
  readonly responds: readonly string[]
  /** Patterns of the types it lets in; undefined, where it lets all in. */
  readonly accepts: readonly string[] | undefined
  /** Bytes accepted for it that have not left this process. */
  readonly queuedBytes: number
  /** Events for it that had to be dropped, on this link. */
  readonly droppedEvents: number
}

export function peerOf(link: Link): Peer | undefined {
  const { peer, outbox, interest, state } = link
  if (!peer) return undefined
  return {
    name: peer.name,
    id: peer.id,
    groups: peer.groups,
    pid: peer.pid,
    state,
    subscriptions: typesOf(interest, (responds) => !responds),
    responds: typesOf(interest, (responds) => responds),
    accepts: peer.accepts,
    queuedBytes: outbox.queuedBytes,
    droppedEvents: outbox.droppedEvents,
  }
}

function typesOf(interests: Iterable<Interest>, isWanted: (responds: boolean) => boolean): readonly string[] {
  const wanted = [...interests].filter(({ responds = false }) => isWanted(responds))
  return [...new Set(wanted.map(({ type }) => type))]
}
