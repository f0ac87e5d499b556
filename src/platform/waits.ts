import { AbortError, describe, InvalidArgument, type LahjaError, WaitTimeout } from '../model/errors'
import type { Clock, Timer } from './clock'

/** What a timer of Node takes; anything longer would be over at once. */
const LONGEST_TIMER = 2 ** 31 - 1

export interface WaitOptions {
  /** Milliseconds until the wait rejects with `WaitTimeout`; without it, it waits as long as it takes. */
  readonly timeout?: number
  /** Ends the wait with `AbortError`. */
  readonly signal?: AbortSignal | undefined
}

/** What an endpoint's own code may choose of a wait. */
interface Manner {
  /** The error at the end of the timeout. Default `WaitTimeout`. */
  readonly timedOut?: (message: string) => LahjaError
}

/** What a wait hands to the code that knows when it is over. */
export interface Waiter<Value> {
  readonly resolve: (value: Value) => void
  readonly reject: (error: LahjaError) => void
}

/** Everything an endpoint's callers wait for, so that each wait ends: by its event, timeout, signal, or the close. */
export class Waits {
  readonly #clock: Clock
  readonly #pending = new Set<(error: LahjaError) => void>()
  readonly #conditions = new Set<() => void>()
  #ended: LahjaError | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /**
   * One wait. `start` is called at once; what it returns is called when the wait is over, however it ends.
   *
   * @throws WaitTimeout, AbortError, InvalidArgument, or the error the registry was ended with
   */
  wait<Value>(
    what: string,
    options: WaitOptions & Manner,
    start: (waiter: Waiter<Value>) => () => void,
  ): Promise<Value> {
    return new Promise((resolve, reject) => {
      const { timeout, signal, timedOut = (message) => new WaitTimeout(message) } = options
      if (this.#ended) return reject(this.#ended)
      if (signal?.aborted) return reject(aborted(what, signal))
      checkTimeout(timeout)

      let timer: Timer | undefined
      let stop: (() => void) | undefined
      let over = false
      const finish = () => {
        over = true
        timer?.cancel()
        signal?.removeEventListener('abort', onAbort)
        this.#pending.delete(fail)
        stop?.()
      }
      const fail = (error: LahjaError) => {
        if (over) return
        finish()
        reject(error)
      }
      const onAbort = () => signal && fail(aborted(what, signal))
      const succeed = (value: Value) => {
        if (over) return
        finish()
        resolve(value)
      }

      this.#pending.add(fail)
      signal?.addEventListener('abort', onAbort, { once: true })
      if (timeout !== undefined && timeout !== Number.POSITIVE_INFINITY) {
        timer = this.#clock.after(timeout, () => fail(timedOut(`${what}: expected within ${timeout} ms`)))
      }
      try {
        stop = start({ resolve: succeed, reject: fail })
      } catch (error) {
        finish()
        throw error
      }
      if (over) stop()
    })
  }

  /** A wait for a condition that only `changed()` can make true. Resolves at once if it holds already. */
  until(what: string, options: WaitOptions, condition: () => boolean): Promise<void> {
    return this.wait<void>(what, options, ({ resolve }) => {
      const check = () => condition() && resolve()
      check()
      this.#conditions.add(check)
      return () => this.#conditions.delete(check)
    })
  }

  /** A wait for a promise. */
  settle<Value>(what: string, options: WaitOptions, promise: Promise<Value>): Promise<Value> {
    return this.wait<Value>(what, options, ({ resolve, reject }) => {
      promise.then(resolve, reject)
      return () => {}
    })
  }

  /** Something that conditions look at is different now. */
  changed(): void {
    for (const check of [...this.#conditions]) check()
  }

  /** Rejects all that still waits, and whatever comes later. */
  end(error: LahjaError): void {
    this.#ended = error
    for (const fail of [...this.#pending]) fail(error)
  }
}

/** @throws InvalidArgument for what no timer takes */
export function checkTimeout(timeout: unknown): void {
  if (timeout === undefined || timeout === Number.POSITIVE_INFINITY) return
  if (typeof timeout === 'number' && timeout >= 0 && timeout <= LONGEST_TIMER) return
  const expected = `milliseconds from 0 to ${LONGEST_TIMER}, or Infinity`
  throw new InvalidArgument(`timeout: expected ${expected}, got ${describe(timeout)}`)
}

function aborted(what: string, signal: AbortSignal): AbortError {
  return new AbortError(`${what}: aborted`, { cause: signal.reason })
}
