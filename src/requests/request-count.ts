import { TypeCounts } from '../model/type-counts'
import { LatencyHistogram, type LatencyStats } from './latency-histogram'

/** What has become of the requests of one type since the endpoint started. All numbers only grow. */
export interface RequestStats {
  readonly type: string
  /** Requests made here; one of `requestAll` counts for each responder. */
  readonly asked: number
  /** Those with a response. */
  readonly answered: number
  /** Those that failed, with `RemoteError`, `NoSubscribers`, `RemoteDisconnected` or `UnexpectedResponse`. */
  readonly failed: number
  readonly timedOut: number
  /** Those given up by their signal, by the end of a reply stream, or as the endpoint was closed. */
  readonly aborted: number
  /** Until the response, of the answered ones. */
  readonly latency: LatencyStats
  /** Requests of others, and of this endpoint itself, that a handler here has begun. */
  readonly handled: number
  /** Those of them whose handler failed. */
  readonly handlerFailed: number
}

/** The numbers while they grow. */
export class RequestCount {
  readonly type: string
  readonly latency = new LatencyHistogram()
  asked = 0
  answered = 0
  failed = 0
  timedOut = 0
  aborted = 0
  handled = 0
  handlerFailed = 0

  constructor(type: string) {
    this.type = type
  }

  stats(): RequestStats {
    const { type, asked, answered, failed, timedOut, aborted, handled, handlerFailed } = this
    const latency = this.latency.stats()
    return { type, asked, answered, failed, timedOut, aborted, latency, handled, handlerFailed }
  }
}

/** The counts of an endpoint's requests. */
export type RequestCounts = TypeCounts<RequestCount>

export function requestCounts(): RequestCounts {
  return new TypeCounts((type) => new RequestCount(type))
}
