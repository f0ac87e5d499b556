import { ProtocolViolation } from './errors'
import type { Message } from './message'

/**
 *     greeting ──hello──▶ deciding ──accept──▶ introducing ──ready──▶ up ──leave──▶ leaving
 *
 * The one that has dialled says hello first, the other once it has accepted. Any state can end in closed.
 */
export type LinkState = 'greeting' | 'deciding' | 'introducing' | 'up' | 'leaving' | 'closed'

/** What a peer has done that says a message where it is not legal. */
export function unexpected(message: Message, state: LinkState): ProtocolViolation {
  return new ProtocolViolation('unexpected-message', `expected none of kind ${message.kind} in state ${state}`)
}
