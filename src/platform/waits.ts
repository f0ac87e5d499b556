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

/** How the code that was started by a wait ends it. Only the first call counts. */
export interface Waiter<Value> {
  resolve(value: Value): void
  reject(error: LahjaError): void
}

/** One wait, which is over once. There is one for each request, so it has no closures that it need not have. */
class Wait<Value> implements Waiter<Value> {
  readonly #pending: Set<Pick<Waiter<unknown>, 'reject'>> | undefined
  readonly #resolve: (value: Value) => void
  readonly #reject: (error: LahjaError) => void
  #isOver = false
  #timer: Timer | undefined
  #stopListening: (() => void) | undefined
  #stop: (() => void) | undefined

  /** @param pending the waits to be in until it is over */
  constructor(
    pending: Set<Pick<Waiter<unknown>, 'reject'>> | undefined,
    resolve: (value: Value) => void,
    reject: (error: LahjaError) => void,
  ) {
    this.#pending = pending
    this.#resolve = resolve
    this.#reject = reject
    pending?.add(this)
  }

  endOnAbort(signal: AbortSignal, error: () => LahjaError): void {
    const abort = () => this.reject(error())
    onAbort(signal, abort)
    this.#stopListening = () => offAbort(signal, abort)
  }

  /** Like `judgeAfter`, a turn later: what has arrived by then may end it. */
  endAfter(timeout: number, clock: Clock, error: () => LahjaError): void {
    this.#timer = clock.after(timeout, () => clock.nextTurn(() => this.#isOver || this.reject(error())), true)
  }

  /** @param stop called when it is over, maybe at once */
  begin(stop: () => void): void {
    if (this.#isOver) stop()
    else this.#stop = stop
  }

  resolve(value: Value): void {
    if (this.giveUp()) this.#resolve(value)
  }

  reject(error: LahjaError): void {
    if (this.giveUp()) this.#reject(error)
  }

  /** Ends it without a result. Returns whether it was not over yet. */
  giveUp(): boolean {
    if (this.#isOver) return false
    this.#isOver = true
    this.#timer?.cancel()
    this.#stopListening?.()
    this.#pending?.delete(this)
    this.#stop?.()
    return true
  }
}

/** Every wait of one endpoint, so that each ends: by its result, timeout or signal, or when the endpoint closes. */
export class Waits {
  readonly #clock: Clock
  readonly #pending = new Set<Pick<Waiter<unknown>, 'reject'>>()
  readonly #conditions = new Set<() => void>()
  readonly #spendCall: () => Promise<void> | undefined
  #ended: LahjaError | undefined

  /**
   * @param spendCall charges a wait to the turn. Returns a promise to wait for if the turn is used up
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
      const { timeout, signal, timedOut = waitTimedOut, outlivesEnd = false } = options
      if (this.#ended && !outlivesEnd) return reject(this.#ended)
      if (signal?.aborted) return reject(aborted(what, signal))
      checkTimeout(timeout)

      const wait = new Wait<Value>(outlivesEnd ? undefined : this.#pending, resolve, reject)
      if (timeout !== undefined && timeout !== Number.POSITIVE_INFINITY) {
        wait.endAfter(timeout, this.#clock, () => timedOut(`${what}: timed out after ${timeout} ms`))
      }
      try {
        if (signal) wait.endOnAbort(signal, () => aborted(what, signal))
        wait.begin(start(wait))
      } catch (error) {
        wait.giveUp()
        throw error
      }
    })
  }

  /** Resolves when the condition holds. It is checked now, and at each call of `changed`. */
  until(what: string, options: InternalWaitOptions, condition: () => boolean): Promise<void> {
    return this.wait<void>(what, options, (waiter) => {
      const met = () => waiter.resolve()
      if (condition()) met()
      return this.#watch(condition, met)
    })
  }

  /** Resolves or rejects as the promise does. */
  settle<Value>(what: string, options: InternalWaitOptions, promise: Promise<Value>): Promise<Value> {
    return this.wait<Value>(what, options, (waiter) => {
      promise.then(
        (value) => waiter.resolve(value),
        (error) => waiter.reject(error),
      )
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
    for (const wait of [...this.#pending]) wait.reject(error)
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

function waitTimedOut(message: string): LahjaError {
  return new WaitTimeout(message)
}

function aborted(what: string, signal: AbortSignal): AbortError {
  return new AbortError(`${what}: aborted`, { cause: signal.reason })
}
