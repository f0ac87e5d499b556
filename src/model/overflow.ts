import { InvalidArgument, invalid } from './errors'
import { asError, messageOf } from './thrown'

/**
 * What happens to an event for a peer that is behind. Its queue is full at `limits.outboxBytes`; `'wait'` already waits above
 * `limits.highWaterMark`. For dropped events, the peer emits `gap` with their number.
 *
 * - `'wait'`: `broadcast` waits for the peer as long as it reads. If it reads nothing for `limits.patience`, it is
 *   `lagging`: it is not waited for, and a full queue drops its oldest events.
 * - `'dropOldest'`: no waiting. A full queue drops its oldest events.
 * - `'dropNewest'`: no waiting. A full queue drops the event.
 * - `'latest'`: no waiting. The event replaces a queued one of the same type; with `{ latest: (payload) => key }`, one of
 *   the same type and key. A full queue drops its oldest events.
 * - `'disconnect'`: no waiting. A full queue disconnects the peer, which then starts over with a new link.
 */
export type Overflow<Payload = unknown> =
  | 'wait'
  | 'dropOldest'
  | 'dropNewest'
  | 'latest'
  | 'disconnect'
  | { readonly latest: KeyOf<Payload> }

/**
 * Returns the key, a string or a number, that an event shares with the older ones it replaces. With any other, or if it
 * throws, `broadcast` rejects with `InvalidArgument`, and the event is not sent. Declared as a method, as `Handler` is.
 */
export type KeyOf<Payload> = { key(payload: Payload): string | number }['key']

/** The overflow option of one event, with the key of its payload. */
export type OverflowPolicy =
  | { readonly kind: 'wait' | 'dropOldest' | 'dropNewest' | 'disconnect' }
  | { readonly kind: 'latest'; readonly key: string }

const POLICIES = {
  wait: { kind: 'wait' },
  dropOldest: { kind: 'dropOldest' },
  dropNewest: { kind: 'dropNewest' },
  disconnect: { kind: 'disconnect' },
} as const satisfies Record<string, OverflowPolicy>

/** Allocates only for `latest`. @throws InvalidArgument if a key function throws, or returns what is no key */
export function policyOf(overflow: Overflow, type: string, payload: unknown): OverflowPolicy {
  if (typeof overflow === 'object') return { kind: 'latest', key: `${type} ${keyOf(overflow.latest, type, payload)}` }
  return overflow === 'latest' ? { kind: 'latest', key: type } : POLICIES[overflow]
}

function keyOf(latest: KeyOf<unknown>, type: string, payload: unknown): string | number {
  let key: unknown
  try {
    key = latest(payload)
  } catch (thrown) {
    const cause = asError(thrown)
    throw new InvalidArgument(`${subjectOf(type)} failed: ${messageOf(cause)}`, { cause })
  }
  if (typeof key === 'string' || typeof key === 'number') return key
  throw invalid(subjectOf(type), 'a string or a number as the key', key)
}

function subjectOf(type: string): string {
  return `overflow.latest of event ${type}`
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
  throw invalid(option, expected, value)
}
