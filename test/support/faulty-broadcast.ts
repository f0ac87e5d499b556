import { Endpoint } from 'lahja'

/**
 * Preloaded into a program, this corrupts the broadcasts of its endpoints: one event is lost, one is sent twice, and two
 * are swapped. Checks for loss, duplicates and order must fail.
 */
const LOST = 10
const DOUBLED = 20
const SWAPPED = 30

/** Corrupts the calls of one broadcast method. */
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
