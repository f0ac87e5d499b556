import { InvalidArgument, invalid } from './errors'
import { asError, messageOf } from './thrown'

/**
 * Returns the key of an event, a string or a number. With anything else, or if it throws, `broadcast` rejects with
 * `InvalidArgument`, and the event is not sent. Declared as a method, as `Handler` is.
 */
export type Partition<Payload = unknown> = { key(payload: Payload): string | number }['key']

/** @throws InvalidArgument */
export function checkPartition(option: string, value: unknown): Partition {
  if (typeof value === 'function') return (payload) => value(payload)
  throw invalid(option, 'a function that returns a key', value)
}

/** The key of an event. Events of all types that share it share an order. @throws InvalidArgument */
export function partitionKeyOf(partition: Partition, type: string, payload: unknown): string {
  const subject = `partition of event ${type}`
  let key: unknown
  try {
    key = partition(payload)
  } catch (thrown) {
    const cause = asError(thrown)
    throw new InvalidArgument(`${subject} failed: ${messageOf(cause)}`, { cause })
  }
  if (typeof key === 'string' || typeof key === 'number') return String(key)
  throw invalid(subject, 'a string or a number as the key', key)
}
