import type { Mode } from '../contenders/mode'
import type { PayloadName } from '../contenders/payload'
import { idleLinkBytes } from '../probes/idle-links'
import { importMilliseconds } from '../probes/import-time'
import { startUp } from '../probes/start-up'
import { TIMED_EVERY } from '../programs/bench-options'
import type { Work } from './round'
import type { Bound, Row } from './row'
import { type Trial, workTrial } from './trial'

/** All that can be compared. */
export interface Agenda {
  readonly trials: readonly Trial[]
  readonly rows: readonly Row[]
}

/** What a broadcast is compared with, and by how much it has to be faster; none of those that are only shown. */
const BROKERS: Readonly<Record<string, number>> = { zeromq: 4, nats: 3, redis: 7 }

const CONSUMERS = [1, 4, 16]

/** Events to so many consumers: enough for some seconds. */
const EVENTS: Readonly<Record<number, number>> = { 1: 2_000_000, 4: 1_500_000, 16: 600_000 }

/** Events before them, so that what is measured is a bus that runs, not one of which the program is still being compiled. */
const WARM_UP = 1_000_000

/** Of 64 KiB, and as many before them: the programs of a sender and four consumers take some ten thousand to be compiled. */
const LARGE_EVENTS = 40_000

/** Of the events, for who is so slow that all others would have to wait for it. */
const SHARES: Readonly<Record<string, number>> = { ipc: 1 / 40, zeromq: 1 / 8, nats: 1 / 4, redis: 1 / 4 }

/** @param isQuick a fiftieth of the work: to see that all works, not to know how fast it is */
export function agendaOf(isQuick: boolean): Agenda {
  const agendas = [
    ...CONSUMERS.map((consumers) => broadcasts('binary', consumers, isQuick)),
    ...CONSUMERS.map((consumers) => broadcasts('object', consumers, isQuick)),
    ...[1, 4].map((consumers) => large(consumers, isQuick)),
    requests(isQuick),
    latency(isQuick),
    probes(isQuick),
  ]
  return { trials: agendas.flatMap(({ trials }) => trials), rows: agendas.flatMap(({ rows }) => rows) }
}

function broadcasts(payload: PayloadName, consumers: number, isQuick: boolean): Agenda {
  const group = `${payload}-${consumers}`
  const brokers = payload === 'binary' && consumers <= 4 ? Object.keys(BROKERS) : []
  const shown = [payload === 'binary' ? 'raw' : 'loop-records', ...(consumers <= 4 ? ['ipc'] : [])]
  const events = EVENTS[consumers] ?? 0
  const shareOf = (contender: string) => SHARES[contender] ?? 1
  const what = payload === 'binary' ? '100 bytes' : '10 fields'
  const title = `broadcast, ${what}, ${consumers} consumer${consumers === 1 ? '' : 's'}`
  const row = (rival: string, bound?: Bound) =>
    compared({ group, title, unit: 'events/s', figure: 'eventsPerSecond', rival, bound })
  const cpu: Row = {
    ...compared({
      group,
      title: `CPU of ${title}`,
      unit: 'CPU s per million',
      figure: 'cpuSecondsPerMillion',
      rival: 'loop',
      bound: { atMost: 1.1 },
    }),
    id: `cpu-${group}`,
  }
  return {
    trials: ['lahja', 'loop', ...shown, ...brokers].map((contender) =>
      trial(
        group,
        contender,
        'broadcast',
        { payload, processes: consumers, events: events * shareOf(contender), warmUp: WARM_UP * shareOf(contender) },
        isQuick,
      ),
    ),
    rows: [
      row('loop', { atLeast: 1 }),
      ...shown.map((rival) => row(rival)),
      ...brokers.map((rival) => row(rival, { atLeast: BROKERS[rival] ?? 0 })),
      cpu,
    ],
  }
}

function large(consumers: number, isQuick: boolean): Agenda {
  const group = `large-${consumers}`
  const title = `broadcast, 64 KiB, ${consumers} consumer${consumers === 1 ? '' : 's'}`
  const size = { payloadBytes: 64 * 1024, processes: consumers, events: LARGE_EVENTS, warmUp: LARGE_EVENTS }
  return {
    trials: ['lahja', 'loop'].map((contender) => trial(group, contender, 'broadcast', size, isQuick)),
    rows: [
      compared({ group, title, unit: 'MiB/s', figure: 'bytesPerSecond', rival: 'loop', bound: { atLeast: 0.95 } }),
    ],
  }
}

function requests(isQuick: boolean): Agenda {
  const one = { processes: 1, events: 20_000, warmUp: 20_000 }
  const many = { processes: 1, events: 100_000, warmUp: 100_000, concurrency: 64 }
  const speed = {
    title: 'requests, 64 in flight',
    unit: 'requests/s',
    figure: 'eventsPerSecond',
    ours: 'request-64/lahja',
  } as const
  return {
    trials: ['lahja', 'loop'].flatMap((contender) => [
      trial('request-1', contender, 'request', one, isQuick),
      trial('request-64', contender, 'request', many, isQuick),
    ]),
    rows: [
      compared({
        group: 'request-1',
        title: 'request, one at a time, p50',
        unit: 'µs',
        figure: 'p50Microseconds',
        rival: 'loop',
        bound: { atMost: 1.15 },
      }),
      { ...speed, id: 'request-64', theirs: 'request-1/loop', rival: 'loop, one at a time', bound: { atLeast: 1.5 } },
      { ...speed, id: 'request-64-loop', theirs: 'request-64/loop', rival: 'loop, 64 in flight' },
    ],
  }
}

function latency(isQuick: boolean): Agenda {
  const work = { processes: 4, events: 5000, throttle: 1000 }
  return {
    trials: ['lahja', 'loop'].map((contender) => trial('latency', contender, 'latency', work, isQuick)),
    rows: [
      compared({
        group: 'latency',
        title: 'latency at 1,000 events/s, 4 consumers, p50',
        unit: 'µs',
        figure: 'p50Microseconds',
        rival: 'loop',
        bound: { atMost: 1.2 },
      }),
    ],
  }
}

function probes(isQuick: boolean): Agenda {
  const processes = isQuick ? 10 : 50
  const probe = (id: string, measure: () => Promise<number>): Trial => ({
    id,
    missing: [],
    measure: async () => ({ value: await measure() }),
  })
  const meeting = {
    title: `${processes} processes to a full mesh`,
    unit: 'ms',
    figure: 'value',
    ours: 'start-up/lahja',
  } as const
  return {
    trials: [
      ...(['lahja', 'load', 'sockets'] as const).map((beginning) =>
        probe(`start-up/${beginning}`, () => startUp(processes, beginning)),
      ),
      probe('idle-links/lahja', () => (isQuick ? idleLinkBytes(5, 20) : idleLinkBytes(15, 50))),
      probe('import/lahja', () => importMilliseconds(isQuick ? 3 : 15)),
    ],
    rows: [
      { ...meeting, id: 'start-up', theirs: 'start-up/load', rival: 'only to load', bound: { atMost: 1.5 } },
      { ...meeting, id: 'start-up-sockets', theirs: 'start-up/sockets', rival: 'plain sockets' },
      {
        id: 'idle-links',
        title: 'resident memory for an idle link',
        unit: 'KiB',
        figure: 'value',
        ours: 'idle-links/lahja',
        rival: '',
        bound: { atMost: 24 },
      },
      {
        id: 'import',
        title: "import 'lahja', beyond an empty script",
        unit: 'ms',
        figure: 'value',
        ours: 'import/lahja',
        rival: '',
        bound: { atMost: 40 },
      },
    ],
  }
}

function trial(group: string, contender: string, mode: Mode, work: Partial<Work>, isQuick: boolean): Trial {
  const defaults = {
    payload: 'binary',
    payloadBytes: 100,
    throttle: 0,
    concurrency: 1,
    isPatient: true,
    processes: 1,
    events: 1,
    warmUp: 0,
  } as const
  const whole = { ...defaults, ...work, contender, mode, timedEvery: TIMED_EVERY[mode] }
  const part = (events: number) => (isQuick ? Math.ceil(events / 50) : events)
  return workTrial(`${group}/${contender}`, { ...whole, events: part(whole.events), warmUp: part(whole.warmUp) })
}

function compared({
  group,
  rival,
  bound,
  ...row
}: { group: string; bound: Bound | undefined } & Pick<Row, 'title' | 'unit' | 'figure' | 'rival'>): Row {
  const sides = { ours: `${group}/lahja`, theirs: `${group}/${rival}` }
  return { ...row, ...sides, id: `${group}-${rival}`, rival, ...(bound && { bound }) }
}
