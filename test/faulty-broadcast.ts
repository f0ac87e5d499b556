import { Endpoint } from 'lahja'

/**
 * Loaded ahead of a program, this spoils three broadcasts of each of its endpoints: one is lost, one is sent twice, and
 * two change places. What checks that all arrives, once and in order, has to notice.
 */
const LOST = 10
const DOUBLED = 20
const SWAPPED = 30

const broadcast = Endpoint.prototype.broadcast
const calls = new WeakMap<Endpoint, number>()
let held: unknown[] | undefined
let receivers: unknown

async function spoiled(this: Endpoint, ...args: unknown[]): Promise<unknown> {
  const call = (calls.get(this) ?? 0) + 1
  calls.set(this, call)
  if (call === LOST) return receivers
  if (call === SWAPPED) {
    held = args.map((arg) => (Buffer.isBuffer(arg) ? Buffer.from(arg) : arg))
    return receivers
  }
  receivers = await Reflect.apply(broadcast, this, args)
  const again = call === DOUBLED ? args : call === SWAPPED + 1 ? held : undefined
  if (again) await Reflect.apply(broadcast, this, again)
  return receivers
}

Object.defineProperty(Endpoint.prototype, 'broadcast', { value: spoiled })
