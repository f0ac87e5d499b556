import type { OptionNames } from '../model/call-options'
import { AbortError, EndpointClosed, invalid, type LahjaError, WaitTimeout } from '../model/errors'
import { offAbort, onAbort } from './abort-listeners'
import { type Clock, judgeAfter } from './clock'
import type { Deadline } from './deadline'
import { type Expiring, Timeouts } from './timeouts'

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

/** A wait, whatever it is for. */
interface Ending extends Expiring {
  reject(error: LahjaError): void
}

/** Where waits are until they are over. */
interface Place {
  readonly timeouts: Timeouts<Ending>
  /** Those without a timeout. */
  readonly unlimited: Set<Ending>
}

const IDLE = () => {}

/** One wait, which is over once. There is one for each request, so it has no closures that it need not have. */
export abstract class Wait<Value> implements Waiter<Value>, Ending {
  readonly promise: Promise<Value>
  ticket: Expiring['ticket']
  #resolve: (value: Value | PromiseLike<Value>) => void = IDLE
  #reject: (error: unknown) => void = IDLE
  #isOver = false
  #place: Place | undefined
  #timeout = 0
  #stopListening: (() => void) | undefined

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  get isOver(): boolean {
    return this.#isOver
  }

  /** Its name in errors. */
  abstract readonly what: string

  /** Called when it is over, however it ends. */
  protected abstract onOver(): void

  protected timedOut(message: string): LahjaError {
    return new WaitTimeout(message)
  }

  /** Ends it after a timeout, by a signal, or with the others of its endpoint. @throws InvalidArgument */
  enter(place: Place, { timeout, signal }: WaitOptions): void {
    this.#place = place
    if (timeout === undefined || timeout === Number.POSITIVE_INFINITY) place.unlimited.add(this)
    else {
      this.#timeout = timeout
      place.timeouts.add(this, timeout)
    }
    if (!signal) return
    const abort = () => this.reject(aborted(this.what, signal))
    onAbort(signal, abort)
    this.#stopListening = () => offAbort(signal, abort)
  }

  expire(): void {
    this.reject(this.timedOut(`${this.what}: timed out after ${this.#timeout} ms`))
  }

  resolve(value: Value): void {
    if (this.#isOver) return
    this.#resolve(value)
    this.#end()
  }

  reject(error: LahjaError): void {
    if (this.#isOver) return
    this.#resolve(rejection(error))
    this.#end()
  }

  /** It could not begin. */
  fail(thrown: unknown): void {
    if (this.#isOver) return
    this.#reject(thrown)
    this.#end()
  }

  /** It is settled already: what is called here may throw. */
  #end(): void {
    this.#isOver = true
    if (this.ticket) this.#place?.timeouts.remove(this)
    else this.#place?.unlimited.delete(this)
    this.#stopListening?.()
    this.onOver()
  }
}

/** A wait for something that has been started, and can be stopped. */
class StartedWait<Value> extends Wait<Value> {
  readonly what: string
  readonly #timedOut: InternalWaitOptions['timedOut']
  #stop: (() => void) | undefined

  constructor(what: string, timedOut: InternalWaitOptions['timedOut']) {
    super()
    this.what = what
    this.#timedOut = timedOut
  }

  start(start: (waiter: Waiter<Value>) => () => void): void {
    const stop = start(this)
    if (this.isOver) stop()
    else this.#stop = stop
  }

  protected override timedOut(message: string): LahjaError {
    return this.#timedOut?.(message) ?? super.timedOut(message)
  }

  protected override onOver(): void {
    this.#stop?.()
  }
}

/** Every wait of one endpoint, so that each ends: by its result, timeout or signal, or when the endpoint closes. */
export class Waits {
  readonly #clock: Clock
  readonly #place: Place
  /** For those that go on after `end`. */
  readonly #lasting: Place
  readonly #conditions = new Set<() => void>()
  readonly #spendCall: () => Promise<void> | undefined
  #ended: LahjaError | undefined

  /**
   * @param spendCall charges a wait to the turn. Returns a promise to wait for if the turn is used up
   */
  constructor(clock: Clock, spendCall: () => Promise<void> | undefined = () => undefined) {
    this.#clock = clock
    this.#place = { timeouts: new Timeouts(clock), unlimited: new Set() }
    this.#lasting = { timeouts: new Timeouts(clock), unlimited: new Set() }
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
    const wait = new StartedWait<Value>(what, options.timedOut)
    return this.begin(wait, options, () => wait.start(start))
  }

  /**
   * Begins a wait.
   *
   * @param start what it waits for. If it throws, the wait ends with that
   */
  begin<Value>(wait: Wait<Value>, options: InternalWaitOptions, start: () => void): Promise<Value> {
    const pause = this.#spendCall()
    this.#start(wait, options, start)
    return pause ? Promise.allSettled([wait.promise, pause]).then(() => wait.promise) : wait.promise
  }

  #start<Value>(wait: Wait<Value>, options: InternalWaitOptions, start: () => void): void {
    const { timeout, signal, outlivesEnd = false } = options
    if (this.#ended && !outlivesEnd) return wait.fail(this.#ended)
    if (signal?.aborted) return wait.fail(aborted(wait.what, signal))
    try {
      checkTimeout(timeout)
      wait.enter(outlivesEnd ? this.#lasting : this.#place, options)
      start()
    } catch (error) {
      wait.fail(error)
    }
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
    const { timeouts, unlimited } = this.#place
    for (const wait of [...timeouts, ...unlimited]) wait.reject(error)
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

/** Gives an error a stack that begins with the code that awaits it, as it arose in a timer or a socket. */
async function rejection(error: LahjaError): Promise<never> {
  // Two ticks, until the promise that is resolved with this one is known to follow it.
  await undefined
  await undefined
  // All that is pending shares the error of a close.
  if (!(error instanceof EndpointClosed)) Error.captureStackTrace(error, rejection)
  throw error
}
