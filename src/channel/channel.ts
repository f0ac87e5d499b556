import type { Identity } from '../model/audience'
import { PayloadTooLarge } from '../model/errors'
import type { OverflowPolicy } from '../model/overflow'
import { type Frame, PREFIX_BYTES } from '../wire/frame'
import type { ChannelMessage } from '../wire/message'
import type { Outbox } from './outbox'
import type { ReceiveWindow } from './receive-window'

/** The way to the subscriptions of one endpoint: a link with a peer, or the loopback to one's own. */
export interface Channel {
  /** Who is at the other end. */
  readonly identity: Identity
  /** Is the other end this very endpoint? */
  readonly isOwn: boolean
  readonly outbox: Outbox
  /** Bytes of body that a frame may have. */
  readonly sendLimit: number
  /** Requests that may wait for a response at a time. */
  readonly requestLimit: number
  /** Where what comes from the other end is accounted for. */
  readonly receiveWindow: ReceiveWindow
  /** Does the other end let events and requests of this type in? */
  accepts(type: string): boolean
  /** Sends an event, in order with all others. */
  send(frame: Frame, policy: OverflowPolicy): boolean
  /**
   * Sends a message ahead of all events that wait.
   *
   * @returns its frame, which the outbox can take back as long as it waits
   * @throws UnserializablePayload, PayloadTooLarge
   */
  sendControl(message: ChannelMessage): Frame
}

/** Whether the other end takes frames of this size. */
export function fits({ sendLimit }: Channel, { start, end }: Frame): boolean {
  return end - start - PREFIX_BYTES <= sendLimit
}

/** @throws PayloadTooLarge if the frame of an event is larger than the other end takes */
export function assertFits(type: string, frame: Frame, channel: Channel): void {
  if (fits(channel, frame)) return
  const { sendLimit, identity } = channel
  const bytes = frame.end - frame.start - PREFIX_BYTES
  throw new PayloadTooLarge(`event ${type}: expected at most ${sendLimit} bytes for ${identity.name}, got ${bytes}`)
}
