import type { Clock, Timer } from './clock'
import { AbortError, type LahjaError, WaitTimeout } from './errors'

export interface WaitOptions {
  /** Milliseconds until the wait rejects with `WaitTimeout`; without it, it waits as long as it takes. */
  readonly timeout?: number
  /** Ends the wait with `AbortError`. */
  readonly signal?: AbortSignal | undefined
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
   * @throws WaitTimeout, AbortError, or the error the registry was ended with
   */
  wait<Value>(what: string, options: WaitOptions, start: (waiter: Waiter<Value>) => () => void): Promise<Value> {
    return new Promise((resolve, reject) => {
      const { timeout, signal } = options
      if (this.#ended) return reject(this.#ended)
      if (signal?.aborted) return reject(aborted(what, signal))

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
      if (timeout !== undefined) {
        timer = this.#clock.after(timeout, () => fail(new WaitTimeout(`${what}: expected within ${timeout} ms`)))
      }
      stop = start({ resolve: succeed, reject: fail })
      if (over) stop()
    })
  }

  /** A wait for a condition that only `changed()` can make true. Resolves at once if it holds already. */
  until(what: string, options: WaitOptions, condition: () => boolean): Promise<void> {
    return this.wait<void>(what, options, ({ resolve }) => {
      const check = () => condition() && resolve()
      this.#conditions.add(check)
      check()
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

function aborted(what: string, signal: AbortSignal): AbortError {
  return new AbortError(`${what}: aborted`, { cause: signal.reason })
}
