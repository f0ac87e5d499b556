import { isolationRound } from './isolation-round'
import type { Agenda } from './peers-suite'
import type { Work } from './round'
import type { Row } from './row'
import type { Trial } from './trial'

/** Of the time that 99 of 100 events need, without the stopped consumer. */
const BOUND = 3

/** @param isQuick a tenth of the work */
export function isolationAgenda(isQuick: boolean): Agenda {
  const divisor = isQuick ? 10 : 1
  const agendas = [
    isolation(
      'throttled',
      'at 2,000 events/s',
      { events: 24_000 / divisor, throttle: 2000, timedEvery: 1 },
      10_000 / divisor,
    ),
    isolation('full', 'at full speed', { events: 200_000 / divisor, throttle: 0, timedEvery: 32 }, 10_000 / divisor),
  ]
  return { trials: agendas.flatMap(({ trials }) => trials), rows: agendas.flatMap(({ rows }) => rows) }
}

function isolation(
  group: string,
  speed: string,
  part: Pick<Work, 'events' | 'throttle' | 'timedEvery'>,
  stoppedFor: number,
): Agenda {
  // A sender as everyone has it: it gives up who is too slow.
  const rest = {
    contender: 'lahja',
    mode: 'broadcast',
    payload: 'binary',
    payloadBytes: 1024,
    warmUp: 0,
    concurrency: 1,
    isPatient: false,
  } as const
  const work = { ...rest, ...part }
  const trial = (name: string, processes: number): Trial => ({
    id: `${group}/${name}`,
    missing: [],
    measure: (signal) => isolationRound({ ...work, processes }, stoppedFor, signal),
  })
  const row: Row = {
    id: group,
    title: `p99 of a fast consumer beside a stopped one, 1 KiB ${speed}`,
    unit: 'µs',
    figure: 'p99Microseconds',
    ours: `${group}/beside`,
    theirs: `${group}/alone`,
    rival: 'alone',
    bound: { atMost: BOUND },
  }
  return { trials: [trial('alone', 1), trial('beside', 2)], rows: [row] }
}
