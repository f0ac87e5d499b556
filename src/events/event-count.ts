import { TypeCounts } from '../model/type-counts'

/** What has become of the events of one type since the endpoint started. All numbers only grow. */
export interface EventStats {
  readonly type: string
  /** Events broadcast here. */
  readonly sent: number
  /** Endpoints and queues that they were sent to: the sum of what `broadcast` has returned. */
  readonly deliveries: number
  /** Bytes of their frames, for all of these. */
  readonly sentBytes: number
  /** Events that have arrived here, also from this endpoint itself. */
  readonly received: number
  /** Bytes of their frames. */
  readonly receivedBytes: number
  /** How often a handler has handled one, or a stream has kept one for its reader. */
  readonly handled: number
  /** How often a handler has failed on one, or its payload did not fit the schema of a subscription. */
  readonly failed: number
  /** Events dropped here for one receiver, as its outbox was full. */
  readonly dropped: number
}

/** The numbers while they grow. */
export class EventCount implements EventStats {
  readonly type: string
  sent = 0
  deliveries = 0
  sentBytes = 0
  received = 0
  receivedBytes = 0
  handled = 0
  failed = 0
  dropped = 0

  constructor(type: string) {
    this.type = type
  }
}

/** The counts of an endpoint's events. */
export type EventCounts = TypeCounts<EventCount>

export function eventCounts(): EventCounts {
  return new TypeCounts((type) => new EventCount(type))
}
