import { describe, InvalidArgument } from './errors'

/**
 * What happens to an event for a peer that is behind.
 *
 * - `wait`: `broadcast` waits for the peer, `limits.patience` at most; after that it is `lagging`, nobody waits for it,
 *   and its oldest events make room for new ones.
 * - `dropOldest`: nobody waits; at the cap the oldest events make room.
 * - `dropNewest`: nobody waits; at the cap the event is dropped.
 * - `latest`: nobody waits; an event that waits is dropped for a newer one of the same type, or with `{ latest: key }`
 *   of the same type and key.
 * - `disconnect`: nobody waits; at the cap the link is closed, and the peer starts anew.
 */
export type Overflow<Payload = unknown> =
  | 'wait'
  | 'dropOldest'
  | 'dropNewest'
  | 'latest'
  | 'disconnect'
  | { readonly latest: KeyOf<Payload> }

/** What a payload is the newest of. Written as a method, for the reason that `Handler` is. */
export type KeyOf<Payload> = { key(payload: Payload): string | number }['key']

/** How one event is to be handled where a peer is behind. */
export type OverflowPolicy =
  | { readonly kind: 'wait' | 'dropOldest' | 'dropNewest' | 'disconnect' }
  | { readonly kind: 'latest'; readonly key: string }

const POLICIES = {
  wait: { kind: 'wait' },
  dropOldest: { kind: 'dropOldest' },
  dropNewest: { kind: 'dropNewest' },
  disconnect: { kind: 'disconnect' },
} as const satisfies Record<string, OverflowPolicy>

/** The same objects for all events but those of which only the newest is wanted. @throws what a key function throws */
export function policyOf(overflow: Overflow, type: string, payload: unknown): OverflowPolicy {
  if (typeof overflow === 'object') return { kind: 'latest', key: `${type} ${overflow.latest(payload)}` }
  return overflow === 'latest' ? { kind: 'latest', key: type } : POLICIES[overflow]
}

/** @throws InvalidArgument */
export function checkOverflow(option: string, value: unknown): Overflow {
  if (value === 'wait' || value === 'dropOldest' || value === 'dropNewest') return value
  if (value === 'latest' || value === 'disconnect') return value
  if (typeof value === 'object' && value !== null && 'latest' in value) {
    const { latest } = value
    if (typeof latest === 'function') return { latest: (payload) => latest(payload) }
  }
  const expected = `'wait', 'dropOldest', 'dropNewest', 'latest', { latest: (payload) => key } or 'disconnect'`
  throw new InvalidArgument(`${option}: expected ${expected}, got ${describe(value)}`)
}
