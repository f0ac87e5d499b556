import { Consumer, type ConsumerContext } from '../../src/events/consumer'
import { eventCounts } from '../../src/events/event-count'
import { TurnBudget } from '../../src/events/turn-budget'
import type { LahjaError } from '../../src/model/errors'
import type { Event, Handler } from '../../src/model/event'
import { NO_HEADERS } from '../../src/model/headers'
import { SLAB_BYTES } from '../../src/wire/slabs'
import { ManualClock } from './manual-clock'

interface BenchOptions extends Partial<ConsumerContext> {
  readonly concurrency?: number
}

/** A consumer, and the errors it reports. */
export function consumerWith(handle: Handler<unknown>, { concurrency = 1, ...options }: BenchOptions = {}) {
  const failures: LahjaError[] = []
  const clock = new ManualClock()
  const consumer = new Consumer({
    interest: { type: 'n' },
    consumption: { kind: 'handler', handle, concurrency },
    schema: undefined,
    report: (error) => failures.push(error),
    idle: () => {},
    closeCalls: () => 0,
    turn: new TurnBudget(clock, SLAB_BYTES),
    clock,
    counts: eventCounts(),
    ...options,
  })
  return { consumer, failures }
}

export const eventOf = (payload: unknown): Event => ({ type: 'n', payload, origin: 'shop', headers: NO_HEADERS })
