import { ProtocolViolation } from '../model/errors'
import type { Message } from '../wire/message'

/**
 *     greeting ──hello──▶ deciding ──accept──▶ introducing ──ready──▶ up ──leave──▶ leaving
 *         └──hello──▶ proving ──proof──▲
 *
 * The one that has dialled says hello first, the other once it has accepted. Where there is a secret, both say hello and
 * prove first, and the other says its proof once it has accepted. Any state can end in closed.
 */
export type LinkState = 'greeting' | 'proving' | 'deciding' | 'introducing' | 'up' | 'leaving' | 'closed'

/** What a peer has done that says a message where it is not legal. */
export function unexpected(message: Message, state: LinkState): ProtocolViolation {
  return new ProtocolViolation('unexpected-message', `expected none of kind ${message.kind} in state ${state}`)
}
