import { Endpoint } from 'lahja'

/**
 * Loaded ahead of a program, this spoils three broadcasts of each of its endpoints: one is lost, one is sent twice, and
 * two change places. What checks that all arrives, once and in order, has to notice.
 */
const LOST = 10
const DOUBLED = 20
const SWAPPED = 30

const { broadcastNowait } = Endpoint.prototype
const calls = new WeakMap<Endpoint, number>()
let held: unknown[] | undefined

function spoiled(this: Endpoint, ...args: unknown[]): unknown {
  const call = (calls.get(this) ?? 0) + 1
  calls.set(this, call)
  if (call === LOST) return true
  if (call === SWAPPED) {
    held = args.map((arg) => (Buffer.isBuffer(arg) ? Buffer.from(arg) : arg))
    return true
  }
  const isUnderMark: unknown = Reflect.apply(broadcastNowait, this, args)
  const again = call === DOUBLED ? args : call === SWAPPED + 1 ? held : undefined
  return again ? Reflect.apply(broadcastNowait, this, again) : isUnderMark
}

Object.defineProperty(Endpoint.prototype, 'broadcastNowait', { value: spoiled })
