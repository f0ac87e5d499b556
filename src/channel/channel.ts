import type { Identity } from '../model/audience'
import { LahjaError, PayloadTooLarge, UnserializablePayload } from '../model/errors'
import type { OverflowPolicy } from '../model/overflow'
import type { Destination } from '../routing/routes'
import { decodeMessage, encodeMessage } from '../wire/codec'
import { type Frame, PREFIX_BYTES } from '../wire/frame'
import type { ChannelMessage } from '../wire/message'
import { holdsBigint } from '../wire/packed-value'
import type { Outbox } from './outbox'
import type { ReceiveWindow } from './receive-window'

/** A bounded, ordered way to one endpoint: a link with a peer, or the loopback to the endpoint itself. */
export interface Channel extends Destination {
  /** The endpoint at the other end. The same id is the same run of it, also on another link. */
  readonly identity: Identity & { readonly id: string }
  readonly outbox: Outbox
  /** Bytes of a frame's body. */
  readonly sendLimit: number
  /** Whether the other end takes integers over 64 bits. */
  readonly takesBigints: boolean
  /** Whether the other end takes records. If so, it takes integers over 64 bits as well. */
  readonly takesRecords: boolean
  /** Whether the other end has been told that we are leaving. Queue events it sends after that can't go to another member. */
  readonly hasUnsubscribedAll: boolean
  /** Whether the other end has told us that it is leaving: events that go back to it may be lost. */
  readonly isLeaving: boolean
  /** Maximum number of requests in flight. */
  readonly requestLimit: number
  /** Whether the other end has left `limits.silentPings` pings unanswered. */
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
  sendMessage(message: ChannelMessage): void
  /**
   * Queues a bulk message that is encoded already. `outbox.cancelBulk` takes it back.
   *
   * @param isOrdered whether it travels behind the events that are queued now. Default false
   */
  sendBulk(frame: Frame, isOrdered?: boolean): void
}

/** Why the other end doesn't take a frame: its size, or an integer over 64 bits in it. */
export type Misfit = 'size' | 'bigints'

/** Why the other end doesn't take this frame; undefined if it does. It is searched only for a peer that takes no such integers. */
export function misfitOf({ sendLimit, takesBigints }: Channel, frame: Frame): Misfit | undefined {
  const { bytes, start } = frame
  if (sizeOf(frame) > sendLimit) return 'size'
  return takesBigints || !holdsBigint(bytes, start + PREFIX_BYTES) ? undefined : 'bigints'
}

/** Bytes of its body without records: what is too large must not depend on what a peer has been told. */
function sizeOf({ start, end, savedBytes = 0 }: Frame): number {
  return end - start - PREFIX_BYTES + savedBytes
}

/** Whether the other end takes this frame. */
export function fits(channel: Channel, frame: Frame): boolean {
  return misfitOf(channel, frame) === undefined
}

/** The error for a frame that the other end doesn't take. */
export function misfitError(subject: string, frame: Frame, { sendLimit, takesBigints, identity }: Channel): LahjaError {
  const { bytes, start, end } = frame
  const body = start + PREFIX_BYTES
  const isTooLarge = sizeOf(frame) > sendLimit
  if (isTooLarge || takesBigints || !holdsBigint(bytes, body)) {
    const size = isTooLarge ? `${sizeOf(frame)} bytes encoded` : `${end - body} bytes encoded, and some more in a queue`
    const most = `${identity.name} takes at most ${sendLimit} (the lower limits.frameBytes of the two)`
    return new PayloadTooLarge(`${subject}: takes ${size}, but ${most}; send less, or raise the limit`)
  }
  try {
    encodeMessage(decodeMessage(bytes, body, end), sendLimit, identity.name)
  } catch (error) {
    if (error instanceof LahjaError) return new UnserializablePayload(`${subject}: ${error.message}`)
    throw error
  }
  return new UnserializablePayload(`${subject}: ${identity.name} takes no integers over 64 bits`)
}
