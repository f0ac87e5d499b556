import { PayloadTooLarge } from '../model/errors'
import type { OverflowPolicy } from '../model/overflow'
import type { Destination } from '../routing/routes'
import { type Frame, PREFIX_BYTES } from '../wire/frame'
import type { ChannelMessage } from '../wire/message'
import type { Outbox } from './outbox'
import type { ReceiveWindow } from './receive-window'

/** A bounded, ordered way to one endpoint: a link with a peer, or the loopback to the endpoint itself. */
export interface Channel extends Destination {
  readonly outbox: Outbox
  /** Bytes of a frame's body. */
  readonly sendLimit: number
  /** Maximum number of requests in flight. */
  readonly requestLimit: number
  /** Whether the other end has been silent for `limits.silentPings` pings. */
  readonly isUnresponsive: boolean
  /** How often something has arrived from the other end: a change is a sign of life. */
  readonly heard: number
  /** Flow control for events from the other end. */
  readonly receiveWindow: ReceiveWindow
  /**
   * Queues an event.
   *
   * @returns whether its sender should wait for `outbox.drained()`; never with a policy other than `wait`
   */
  send(frame: Frame, policy: OverflowPolicy): boolean
  /**
   * Queues a message: a small one ahead of everything, one with a payload beside the events.
   *
   * @throws UnserializablePayload, PayloadTooLarge
   */
  sendControl(message: ChannelMessage): void
  /**
   * The same for a request that is encoded already. `outbox.cancelBulk` takes it back.
   *
   * @param isOrdered whether it travels behind the events that are queued now
   */
  sendEncoded(frame: Frame, isOrdered: boolean): void
}

/** Whether the other end takes frames of this size. */
export function fits({ sendLimit }: Channel, { start, end }: Frame): boolean {
  return end - start - PREFIX_BYTES <= sendLimit
}

/** The error for a frame that is larger than the other end takes. */
export function tooLarge(subject: string, { start, end }: Frame, { sendLimit, identity }: Channel): PayloadTooLarge {
  const bytes = end - start - PREFIX_BYTES
  const most = `${identity.name} takes at most ${sendLimit} (the lower limits.frameBytes of the two)`
  return new PayloadTooLarge(`${subject}: takes ${bytes} bytes encoded, but ${most}; send less, or raise the limit`)
}
