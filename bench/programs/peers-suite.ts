import type { Mode } from '../contenders/contender'
import { quantity } from '../measure/quantity'
import type { Row } from '../measure/row'
import { joined, partOf, type Suite } from '../measure/suite'
import { type Trial, workTrial } from '../measure/trial'
import { floor, missingFloor } from '../probes/floor'
import { idleLinkBytes } from '../probes/idle-links'
import { importMilliseconds } from '../probes/import-time'
import { oneShot } from '../probes/one-shot'
import { startUp } from '../probes/start-up'
import { type Work, workOf } from '../workers/job'

/** The same work for several contenders. */
interface Group {
  readonly id: string
  readonly works: readonly Work[]
  readonly rows: readonly Row[]
  /** Consumers and events of the same in C. */
  readonly floor?: readonly [consumers: number, events: number]
}

type Quantities = Pick<Work, 'events'> & Partial<Work>

/** How many times as fast as these a broadcast of bytes has to be. The other contenders are only shown. */
const RIVALS: Readonly<Record<string, number>> = { zeromq: 4, 'zeromq-push': 4, nats: 3, redis: 7 }

/**
 * Consumers, events that take them some seconds, and events before, until the code is compiled; and how many times as fast as a
 * loop bytes have to be.
 */
const BROADCASTS = [
  [1, 2_000_000, 4_000_000, 1.6],
  [4, 1_500_000, 2_000_000, 1.6],
  [16, 600_000, 1_000_000, 1.25],
] as const

/** The same for objects, of which a loop sends the keys each time, or only once. */
const OBJECTS_TO_LOOP = 1.3
const OBJECTS_TO_RECORDS = 1

/** The share of what the same takes in C. */
const FLOOR = 0.2

/** Members of a queue, and events that take them about a second, measured and before. */
const QUEUES = [
  [1, 300_000],
  [4, 300_000],
  [16, 200_000],
] as const

/** Of each small event. */
const BYTES = 100

/** Events of 100 bytes in C, about a second's. */
const FLOOR_EVENTS = 16_000_000

/** Of 64 KiB each, measured and before: four consumers need about ten thousand. */
const LARGE_EVENTS = 40_000

/** Parts of the events for slow contenders, which would hold up all others. */
const SHARES: Readonly<Record<string, number>> = {
  'broadcast-channel': 1 / 2000,
  ipc: 1 / 40,
  zeromq: 1 / 8,
  'zeromq-push': 1 / 8,
  nats: 1 / 4,
  redis: 1 / 4,
}

/** Compares with other ways to pass messages. */
export function peersSuite(isQuick: boolean): Suite {
  const groups = [
    ...BROADCASTS.map(([consumers, events, warmUp, least]) => broadcasts('binary', consumers, events, warmUp, least)),
    ...BROADCASTS.map(([consumers, events, warmUp]) =>
      broadcasts('object', consumers, events, warmUp, OBJECTS_TO_LOOP),
    ),
    ...[1, 4].map(large),
    ...requests(),
    latency(),
    ...QUEUES.map(([members, events]) => queue(members, events)),
  ]
  return joined([...groups.map((group) => suiteOf(group, isQuick)), probes(isQuick)])
}

function suiteOf({ id, works, rows, floor }: Group, isQuick: boolean): Suite {
  const part = (events: number) => partOf(events, isQuick)
  const trialOf = (work: Work) => workTrial(id, { ...work, events: part(work.events), warmUp: part(work.warmUp) })
  return { trials: [...works.map(trialOf), ...(floor ? [floorTrial(id, floor[0], part(floor[1]))] : [])], rows }
}

/** What sockets cost, without a language in between. */
function floorTrial(group: string, consumers: number, events: number): Trial {
  return {
    id: `${group}/floor`,
    missing: missingFloor(),
    measure: (signal) => floor(consumers, events, BYTES, signal),
  }
}

function broadcasts(
  payload: 'binary' | 'object',
  consumers: number,
  events: number,
  warmUp: number,
  leastToLoop: number,
): Group {
  const id = `${payload}-${consumers}`
  const rivals = payload === 'binary' && consumers <= 4 ? Object.entries(RIVALS) : []
  const shown = [
    payload === 'binary' ? 'raw' : 'loop-records',
    ...(consumers <= 4 ? ['ipc'] : []),
    // With more consumers, it delivers out of order.
    ...(payload === 'object' && consumers === 1 ? ['broadcast-channel'] : []),
  ]
  const title = `broadcast, ${payload === 'binary' ? '100 bytes' : '10 fields'}, ${quantity(consumers, 'consumer')}`
  const speed = { title, unit: 'events/s', figure: 'eventsPerSecond' } as const
  const cpu = { title: `CPU of ${title}`, unit: 'CPU s per million', figure: 'cpuSecondsPerMillion' } as const
  return {
    id,
    works: ['lahja', 'loop', ...shown, ...rivals.map(([name]) => name)].map((contender) => {
      const share = SHARES[contender] ?? 1
      const quantities = { processes: consumers, events: events * share, warmUp: warmUp * share }
      return workOf({ contender, mode: 'broadcast', payload, ...quantities })
    }),
    rows: [
      rowOf(id, 'loop', { ...speed, bound: { atLeast: leastToLoop } }),
      ...shown.map((rival) => {
        return rowOf(id, rival, rival === 'loop-records' ? { ...speed, bound: { atLeast: OBJECTS_TO_RECORDS } } : speed)
      }),
      ...rivals.map(([rival, atLeast]) => rowOf(id, rival, { ...speed, bound: { atLeast } })),
      { ...rowOf(id, 'loop', { ...cpu, bound: { atMost: 1 } }), id: `cpu-${id}` },
      ...(payload === 'binary' ? [rowOf(id, 'floor', { ...speed, bound: { atLeast: FLOOR } })] : []),
    ],
    ...(payload === 'binary' && { floor: [consumers, FLOOR_EVENTS / consumers] as const }),
  }
}

function large(consumers: number): Group {
  const id = `large-${consumers}`
  const title = `broadcast, 64 KiB, ${quantity(consumers, 'consumer')}`
  const bytes = { title, unit: 'MiB/s', figure: 'bytesPerSecond', bound: { atLeast: 1 } } as const
  const quantities = { payloadBytes: 64 * 1024, processes: consumers, events: LARGE_EVENTS, warmUp: LARGE_EVENTS }
  return { id, works: besideLoop('broadcast', quantities), rows: [rowOf(id, 'loop', bytes)] }
}

function requests(): Group[] {
  const time = { title: 'request, one at a time, p50', unit: 'µs', figure: 'p50Microseconds' } as const
  const speed = { title: 'requests, 64 in flight', unit: 'requests/s', figure: 'eventsPerSecond' } as const
  const ours = 'request-64/lahja'
  const bound = { atLeast: 1.5 }
  return [
    {
      id: 'request-1',
      works: besideLoop('request', { events: 20_000, warmUp: 20_000 }),
      rows: [rowOf('request-1', 'loop', { ...time, bound: { atMost: 1.2 } })],
    },
    {
      id: 'request-64',
      works: besideLoop('request', { events: 100_000, warmUp: 100_000, concurrency: 64 }),
      rows: [
        { ...speed, id: 'request-64', ours, theirs: 'request-1/loop', rival: 'loop, one at a time', bound },
        {
          ...speed,
          id: 'request-64-loop',
          ours,
          theirs: 'request-64/loop',
          rival: 'loop, 64 in flight',
          bound: { atLeast: 0.7 },
        },
      ],
    },
  ]
}

function latency(): Group {
  const title = 'latency at 1,000 events/s, 4 consumers, p50'
  const time = { title, unit: 'µs', figure: 'p50Microseconds', bound: { atMost: 1.1 } } as const
  const works = besideLoop('latency', { processes: 4, events: 5000, warmUp: 5000, throttle: 1000 })
  return { id: 'latency', works, rows: [rowOf('latency', 'loop', time)] }
}

function queue(members: number, events: number): Group {
  const id = `queue-${members}`
  const title = `work queue, 100 bytes, ${quantity(members, 'member')}`
  const speed = { title, unit: 'events/s', figure: 'eventsPerSecond' } as const
  const quantities = { processes: members, events, warmUp: events }
  return {
    id,
    works: ['lahja', 'loop', 'nats'].map((contender) => workOf({ contender, mode: 'queue', ...quantities })),
    rows: [
      { ...rowOf(id, 'loop', speed), rival: 'loop, in turns and unacknowledged' },
      { ...rowOf(id, 'nats', speed), rival: 'nats, a queue group' },
    ],
  }
}

function besideLoop(mode: Mode, quantities: Quantities): Work[] {
  return ['lahja', 'loop'].map((contender) => workOf({ contender, mode, ...quantities }))
}

function rowOf(group: string, rival: string, row: Omit<Row, 'id' | 'ours' | 'theirs' | 'rival'>): Row {
  return { ...row, id: `${group}-${rival}`, ours: `${group}/lahja`, theirs: `${group}/${rival}`, rival }
}

function probes(isQuick: boolean): Suite {
  const processes = isQuick ? 5 : 50
  const probe = (id: string, measure: () => Promise<number>): Trial => ({
    id,
    missing: [],
    measure: async () => ({ value: await measure() }),
  })
  const figure = 'value'
  const startUpTitle = `${processes} processes to a full mesh`
  const meeting = { title: startUpTitle, unit: 'ms', figure, ours: 'start-up/lahja' } as const
  const once = { title: 'a process that sends one event', unit: 'ms', figure, bound: { atMost: 1.6 } } as const
  const link = { title: 'resident memory for an idle link', unit: 'KiB', bound: { atMost: 24 } } as const
  const load = { title: "import 'lahja', beyond an empty script", unit: 'ms', bound: { atMost: 40 } } as const
  return {
    trials: [
      ...(['lahja', 'load', 'sockets'] as const).map((start) => {
        return probe(`start-up/${start}`, () => startUp(processes, start))
      }),
      ...(['lahja', 'sockets'] as const).map((by) => probe(`one-shot/${by}`, () => oneShot(by, isQuick ? 3 : 15))),
      probe('idle-links/lahja', () => (isQuick ? idleLinkBytes(5, 20) : idleLinkBytes(15, 50))),
      probe('import/lahja', () => importMilliseconds(isQuick ? 3 : 15)),
    ],
    rows: [
      { ...meeting, id: 'start-up', theirs: 'start-up/load', rival: 'only to load', bound: { atMost: 1.5 } },
      { ...meeting, id: 'start-up-sockets', theirs: 'start-up/sockets', rival: 'plain sockets' },
      { ...once, id: 'one-shot', ours: 'one-shot/lahja', theirs: 'one-shot/sockets', rival: 'plain sockets' },
      { ...link, id: 'idle-links', figure, ours: 'idle-links/lahja', rival: '' },
      { ...load, id: 'import', figure, ours: 'import/lahja', rival: '' },
    ],
  }
}
