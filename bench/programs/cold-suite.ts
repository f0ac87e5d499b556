import { PAYLOADS, type PayloadName } from '../contenders/payload'
import { quantity } from '../measure/quantity'
import { joined, partOf, type Suite } from '../measure/suite'
import { workTrial } from '../measure/trial'
import { workOf } from '../workers/job'

/** The first events of a process, and the share of the loop's speed that they have to reach. */
const FIRST = [
  [100_000, 0.9],
  [600_000, 1],
] as const

const CONSUMERS = [1, 4] as const

/** Compares the first events of new processes, nothing of which is compiled, with those of a hand-written loop. */
export function coldSuite(isQuick: boolean): Suite {
  return joined(
    FIRST.flatMap(([events, atLeast]) => {
      const sent = partOf(events, isQuick)
      return CONSUMERS.flatMap((consumers) => PAYLOADS.map((payload) => first(sent, payload, consumers, atLeast)))
    }),
  )
}

function first(events: number, payload: PayloadName, consumers: number, atLeast: number): Suite {
  const id = `${payload}-${consumers}-first-${events}`
  const quantities = { processes: consumers, events, warmUp: 0 }
  const count = events.toLocaleString('en')
  return {
    trials: ['lahja', 'loop'].map((contender) => {
      return workTrial(id, workOf({ contender, mode: 'broadcast', payload, ...quantities }))
    }),
    rows: [
      {
        id,
        title: `first ${count} events, ${payload}, ${quantity(consumers, 'consumer')}`,
        unit: 'events/s',
        figure: 'eventsPerSecond',
        ours: `${id}/lahja`,
        theirs: `${id}/loop`,
        rival: 'loop',
        bound: { atLeast },
      },
    ],
  }
}
