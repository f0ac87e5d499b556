import type { OptionNames } from '../model/call-options'
import { AbortError, invalid, type LahjaError, WaitTimeout } from '../model/errors'
import { offAbort, onAbort } from './abort-listeners'
import { type Clock, judgeAfter, type Timer } from './clock'
import type { Deadline } from './deadline'

/** The longest delay that Node's timers take, in milliseconds; longer ones fire at once. */
const LONGEST_TIMER = 2 ** 31 - 1

export interface WaitOptions {
  /** Milliseconds until the wait rejects with `WaitTimeout`. Default: no limit. */
  readonly timeout?: number | undefined
  /** Ends the wait with `AbortError`. */
  readonly signal?: AbortSignal | undefined
}

export const WAIT_OPTIONS: OptionNames<WaitOptions> = { timeout: true, signal: true }

export interface InternalWaitOptions extends WaitOptions {
  /** Makes the error at the end of the timeout. Default `WaitTimeout`. */
  readonly timedOut?: ((message: string) => LahjaError) | undefined
  /** Whether the wait goes on after `end`. Default false. */
  readonly outlivesEnd?: boolean
}

/** How the code that was started by a wait ends it. */
export interface Waiter<Value> {
  readonly resolve: (value: Value) => void
  readonly reject: (error: LahjaError) => void
}

/** Every wait of one endpoint, so that each ends: by its result, timeout or signal, or when the endpoint closes. */
export class Waits {
  readonly #clock: Clock
  readonly #pending = new Set<(error: LahjaError) => void>()
  readonly #conditions = new Set<() => void>()
  readonly #spendCall: () => Promise<void> | undefined
  #ended: LahjaError | undefined

  /**
   * @param spendCall counts a wait. Returns what it must not be over before, if anything, so that a loop of waits that are
   *   over at once lets the event loop turn
   */
  constructor(clock: Clock, spendCall: () => Promise<void> | undefined = () => undefined) {
    this.#clock = clock
    this.#spendCall = spendCall
  }

  /**
   * One wait. `start` is called at once; the function it returns is called when the wait is over, however it ends.
   *
   * @param what the wait's name in errors
   * @throws WaitTimeout, AbortError, InvalidArgument, or the error that `end` was called with
   */
  wait<Value>(
    what: string,
    options: InternalWaitOptions,
    start: (waiter: Waiter<Value>) => () => void,
  ): Promise<Value> {
    const pause = this.#spendCall()
    const begun = this.#begin(what, options, start)
    return pause ? Promise.allSettled([begun, pause]).then(() => begun) : begun
  }

  #begin<Value>(
    what: string,
    options: InternalWaitOptions,
    start: (waiter: Waiter<Value>) => () => void,
  ): Promise<Value> {
    return new Promise((resolve, reject) => {
      const { timeout, signal, timedOut = (message) => new WaitTimeout(message), outlivesEnd = false } = options
      if (this.#ended && !outlivesEnd) return reject(this.#ended)
      if (signal?.aborted) return reject(aborted(what, signal))
      checkTimeout(timeout)

      let timer: Timer | undefined
      let stop: (() => void) | undefined
      let over = false
      /** Returns whether this call has ended the wait. */
      const finish = () => {
        if (over) return false
        over = true
        timer?.cancel()
        if (signal) offAbort(signal, abort)
        this.#pending.delete(fail)
        stop?.()
        return true
      }
      const fail = (error: LahjaError) => finish() && reject(error)
      const abort = () => signal && fail(aborted(what, signal))

      if (!outlivesEnd) this.#pending.add(fail)
      if (signal) onAbort(signal, abort)
      if (timeout !== undefined && timeout !== Number.POSITIVE_INFINITY) {
        const onTimeout = () => fail(timedOut(`${what}: timed out after ${timeout} ms`))
        timer = judgeAfter(this.#clock, timeout, onTimeout, true)
      }
      try {
        stop = start({ resolve: (value) => finish() && resolve(value), reject: fail })
      } catch (error) {
        finish()
        throw error
      }
      if (over) stop()
    })
  }

  /** Resolves when the condition holds. It is checked now, and at each call of `changed`. */
  until(what: string, options: InternalWaitOptions, condition: () => boolean): Promise<void> {
    return this.wait<void>(what, options, ({ resolve }) => {
      if (condition()) resolve()
      return this.#watch(condition, resolve)
    })
  }

  /** Resolves or rejects as the promise does. */
  settle<Value>(what: string, options: InternalWaitOptions, promise: Promise<Value>): Promise<Value> {
    return this.wait<Value>(what, options, ({ resolve, reject }) => {
      promise.then(resolve, reject)
      return () => {}
    })
  }

  /** Resolves to whether the condition came to hold before the deadline. Goes on after `end`. */
  reached(deadline: Deadline, condition: () => boolean): Promise<boolean> {
    if (condition()) return Promise.resolve(true)
    let unwatch = () => {}
    const met = new Promise<void>((resolve) => {
      unwatch = this.#watch(condition, resolve)
    })
    return this.fulfilled(deadline, met).finally(unwatch)
  }

  /** Resolves to whether the promise was fulfilled before the deadline. Goes on after `end`. */
  fulfilled(deadline: Deadline, promise: Promise<unknown>): Promise<boolean> {
    return new Promise((resolve) => {
      const timer =
        deadline.left === Number.POSITIVE_INFINITY
          ? undefined
          : judgeAfter(this.#clock, deadline.left, () => resolve(false), true)
      const finish = (isFulfilled: boolean) => {
        timer?.cancel()
        resolve(isFulfilled)
      }
      promise.then(
        () => finish(true),
        () => finish(false),
      )
    })
  }

  /** Something that conditions depend on has changed. */
  changed(): void {
    if (this.#conditions.size === 0) return
    for (const check of [...this.#conditions]) check()
  }

  /** Rejects all pending waits, and all later ones. */
  end(error: LahjaError): void {
    this.#ended = error
    for (const fail of [...this.#pending]) fail(error)
  }

  /** Calls `met` at each change after which the condition holds. Returns how to stop. */
  #watch(condition: () => boolean, met: () => void): () => void {
    const check = () => condition() && met()
    this.#conditions.add(check)
    return () => this.#conditions.delete(check)
  }
}

/** @throws InvalidArgument for a number of milliseconds that no timer takes */
export function checkTimeout(timeout: unknown, option = 'timeout'): void {
  if (timeout === undefined || timeout === Number.POSITIVE_INFINITY) return
  if (typeof timeout === 'number' && timeout >= 0 && timeout <= LONGEST_TIMER) return
  throw invalid(option, `milliseconds from 0 to ${LONGEST_TIMER}, or Infinity`, timeout)
}

function aborted(what: string, signal: AbortSignal): AbortError {
  return new AbortError(`${what}: aborted`, { cause: signal.reason })
}
