import {
  BoundaryCrossed,
  ConnectionFailed,
  DirectoryRefused,
  InvalidPayload,
  type LahjaError,
  LinkError,
  PathTooLong,
  withMessage,
} from './model/errors'
import type { Clock, Timer } from './platform/clock'

/** Milliseconds in which one error is reported for each reason. */
const INTERVAL = 1000

/** Reasons that are told apart at a time; others can make up as many as they like. */
const REASONS = 32

/** Errors that others can cause as often as they like: they are limited also if they are listened to. */
const LIMITED = [BoundaryCrossed, ConnectionFailed, DirectoryRefused, InvalidPayload, LinkError, PathTooLong]

/** What has happened since an error was reported. */
interface Interval {
  readonly timer: Timer
  leftOut: number
  last: LahjaError | undefined
}

/**
 * Reports errors. Of those that others can cause as often as they like, and of all while nothing listens to them, so that
 * they become process warnings: one a second for a reason, and how many were left out.
 */
export class ReportLimiter {
  readonly #clock: Clock
  readonly #report: (error: LahjaError) => void
  readonly #isHeard: () => boolean
  readonly #intervals = new Map<string, Interval>()
  #isClosed = false

  /** @param isHeard whether anything listens to errors */
  constructor(clock: Clock, report: (error: LahjaError) => void, isHeard: () => boolean) {
    this.#clock = clock
    this.#report = report
    this.#isHeard = isHeard
  }

  /** @param isLimited whether others can cause it as often as they like. Default: by its class */
  report(error: LahjaError, isLimited = LIMITED.some((kind) => error instanceof kind)): void {
    if (this.#isClosed || (this.#isHeard() && !isLimited)) return this.#report(error)
    const reason = this.#reasonOf(error)
    const interval = this.#intervals.get(reason)
    if (!interval) return this.#begin(reason, error)
    interval.leftOut++
    interval.last = error
  }

  /** Reports what has been left out so far, and from now on everything. */
  close(): void {
    this.#isClosed = true
    for (const interval of this.#intervals.values()) {
      interval.timer.cancel()
      const error = summaryOf(interval)
      if (error) this.#report(error)
    }
    this.#intervals.clear()
  }

  #reasonOf(error: LahjaError): string {
    if (error instanceof LinkError) return `${error.code} ${error.reason}`
    const reason = `${error.code} ${error.message}`
    return this.#intervals.size < REASONS || this.#intervals.has(reason) ? reason : error.code
  }

  #begin(reason: string, error: LahjaError): void {
    const timer = this.#clock.after(INTERVAL, () => this.#end(reason))
    this.#intervals.set(reason, { timer, leftOut: 0, last: undefined })
    this.#report(error)
  }

  #end(reason: string): void {
    const interval = this.#intervals.get(reason)
    this.#intervals.delete(reason)
    const error = interval && summaryOf(interval)
    if (error) this.#begin(reason, error)
  }
}

/** The last error that was left out, with the number of the others in the message of a copy: it is for others to change. */
function summaryOf({ last, leftOut }: Interval): LahjaError | undefined {
  if (!last || leftOut < 2) return last
  return withMessage(last, `${last.message} (and ${leftOut - 1} more like it within a second)`)
}
