import { InterestExchange } from '../../src/mesh/interest-exchange'
import type { Interest } from '../../src/model/interest'
import { HANDSHAKE_FRAME_BYTES } from '../../src/model/limits'
import type { Message } from '../../src/wire/message'

/** An exchange, and what it has sent to the peer, in frames of at most `limit` bytes. */
export function talking(limit = () => HANDSHAKE_FRAME_BYTES) {
  const sent: Message[] = []
  return { sent, exchange: new InterestExchange((message) => sent.push(message), limit, Number.POSITIVE_INFINITY) }
}

/** The interests in these messages, which must all be subscribes. */
export function toldIn(sent: readonly Message[]): Interest[] {
  return sent.flatMap((message) => (message.kind === 'subscribe' ? message.interests : []))
}

export const a: Interest = { type: 'a' }
export const b: Interest = { type: 'b', from: ['shop'] }
export const c: Interest = { type: 'c', responds: true }
export const member: Interest = { type: 'a', queue: 'q' }
