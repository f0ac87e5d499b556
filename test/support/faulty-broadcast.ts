import { Endpoint } from 'lahja'

/**
 * Loaded ahead of a program, this spoils what each of its endpoints broadcasts: one is lost, one is sent twice, and two
 * change places. What checks that all arrives, once and in order, has to notice.
 */
const LOST = 10
const DOUBLED = 20
const SWAPPED = 30

/** Spoils the calls of an endpoint in one of its ways to broadcast. */
function spoil(name: 'broadcast' | 'broadcastNowait'): void {
  const broadcast = Endpoint.prototype[name]
  const calls = new WeakMap<object, number>()
  let held: unknown[] | undefined
  let result: unknown
  function spoiled(this: object, ...args: unknown[]): unknown {
    const call = (calls.get(this) ?? 0) + 1
    calls.set(this, call)
    if (call === LOST) return result
    if (call === SWAPPED) {
      held = args.map((arg) => (Buffer.isBuffer(arg) ? Buffer.from(arg) : arg))
      return result
    }
    result = Reflect.apply(broadcast, this, args)
    const again = call === DOUBLED ? args : call === SWAPPED + 1 ? held : undefined
    return again ? Reflect.apply(broadcast, this, again) : result
  }
  Object.defineProperty(Endpoint.prototype, name, { value: spoiled })
}

spoil('broadcast')
spoil('broadcastNowait')
