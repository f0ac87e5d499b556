import { PAYLOADS, type PayloadName } from '../contenders/payload'
import { quantity } from '../measure/quantity'
import { joined, partOf, type Suite } from '../measure/suite'
import { workTrial } from '../measure/trial'
import { workOf } from '../workers/job'

/** Payloads that take longer than most, and the part of the events for them. */
const SHARES: Partial<Readonly<Record<PayloadName, number>>> = {
  list: 1 / 5,
  'flat-40': 1 / 4,
  'bytes-10k': 1 / 4,
  header: 1 / 2,
  log: 1 / 2,
}

/** Objects whose shape does not change: a loop can describe it once. */
const RECORDS: readonly PayloadName[] = ['flat-3', 'object', 'flat-40', 'list']

/** Consumers, and events that take them about a second. */
const CONSUMERS = [
  [1, 400_000],
  [4, 300_000],
] as const

/** Compares with hand-written loops, on every kind of payload. */
export function shapesSuite(isQuick: boolean): Suite {
  return joined(
    CONSUMERS.flatMap(([consumers, events]) => {
      return PAYLOADS.map((payload) => shape(payload, consumers, partOf(events, isQuick)))
    }),
  )
}

function shape(payload: PayloadName, consumers: number, events: number): Suite {
  const id = `${payload}-${consumers}`
  const title = `broadcast, ${payload}, ${quantity(consumers, 'consumer')}`
  const speed = { unit: 'events/s', figure: 'eventsPerSecond', ours: `${id}/lahja` } as const
  const cpu = { unit: 'CPU s per million', figure: 'cpuSecondsPerMillion', ours: `${id}/lahja` } as const
  const part = Math.ceil(events * (SHARES[payload] ?? 1))
  const hasRecords = RECORDS.includes(payload)
  const contenders = ['lahja', 'loop', ...(hasRecords ? ['loop-records'] : [])]
  const against = (rival: string) => ({ rival, theirs: `${id}/${rival}` })
  return {
    trials: contenders.map((contender) => {
      const quantities = { processes: consumers, events: part, warmUp: part }
      return workTrial(id, workOf({ contender, mode: 'broadcast', payload, ...quantities }))
    }),
    rows: [
      { id: `${id}-loop`, title, ...speed, ...against('loop'), bound: { atLeast: 1.3 } },
      ...(hasRecords
        ? [{ id: `${id}-records`, title, ...speed, ...against('loop-records'), bound: { atLeast: 1 } }]
        : []),
      { id: `cpu-${id}`, title: `CPU of ${title}`, ...cpu, ...against('loop'), bound: { atMost: 1 } },
    ],
  }
}
