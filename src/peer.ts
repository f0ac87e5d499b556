import type { Link } from './link'

/** Another endpoint on the bus, as it was when this was read. */
export interface Peer {
  readonly name: string
  /** Of this one life of it: a restart has another. */
  readonly id: string
  readonly groups: readonly string[]
  readonly pid: number
  /** `lagging`: nobody waits for it. `unresponsive`: silent for long, but not gone. */
  readonly state: 'connected' | 'lagging' | 'unresponsive'
  /** The types it is subscribed to. */
  readonly subscriptions: readonly string[]
  /** Bytes accepted for it that have not left this process. */
  readonly queuedBytes: number
}

export function peerOf(link: Link): Peer | undefined {
  const { peer, outbox, interest, isUnresponsive } = link
  if (!peer) return undefined
  return {
    name: peer.name,
    id: peer.id,
    groups: peer.groups,
    pid: peer.pid,
    state: isUnresponsive ? 'unresponsive' : outbox.isLagging ? 'lagging' : 'connected',
    subscriptions: [...interest],
    queuedBytes: outbox.queuedBytes,
  }
}
