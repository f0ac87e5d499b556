import type { Limits } from '../model/limits'

type RedialLimits = Pick<Limits, 'redialMin' | 'redialMax'>

/**
 * Milliseconds before a retry: full jitter over a span that doubles with each failure, so that endpoints that failed
 * together don't retry together.
 *
 * @param failures failed attempts so far
 * @param random in [0, 1)
 */
export function redialDelay(failures: number, { redialMin, redialMax }: RedialLimits, random: number): number {
  return random * Math.min(redialMax, redialMin * 2 ** failures)
}

/** A dial to come. */
export interface Attempt {
  /** Milliseconds until then. */
  readonly delay: number
  /** Failed attempts since the last link that has lasted. Default 0. */
  readonly failures?: number
  /** Whether it is expected to fail like the one before. Default false. */
  readonly isHopeless?: boolean
  /** Whether there was a link with the peer. Default false. */
  readonly wasLinked?: boolean
}

/**
 * The attempt after one that failed.
 *
 * @param failures failed attempts before that one
 * @param isHopeless whether the failure will last: then the longest delay applies
 */
export function nextAttempt(
  failures: number,
  isHopeless: boolean,
  limits: RedialLimits,
  random: () => number,
): Attempt {
  if (isHopeless) return { delay: limits.redialMax, failures, isHopeless }
  return { delay: redialDelay(failures, limits, random()), failures: failures + 1, isHopeless }
}
