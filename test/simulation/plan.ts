import type { EndpointOptions } from '../../src'
import type { Random } from './random'
import type { Conditions } from './weather'
import { FAIR } from './weather'

/** What a run is made of, beside its seed. */
export interface Extent {
  readonly endpoints: number
  readonly steps: number
}

/** What members do, and what is done to them, at each step; with how often, in relation to each other. */
export type Deed =
  | 'join'
  | 'rush'
  | 'leave'
  | 'restart'
  | 'kill'
  | 'freeze'
  | 'cut'
  | 'stall'
  | 'unpublish'
  | 'subscribe'
  | 'stream'
  | 'unsubscribe'
  | 'respond'
  | 'unrespond'
  | 'broadcast'
  | 'flood'
  | 'ask'
  | 'askAll'

export type Deeds = Readonly<Record<Deed, number>>

const WORK: Deeds = {
  join: 0,
  rush: 0,
  leave: 0,
  restart: 0,
  kill: 0,
  freeze: 0,
  cut: 0,
  stall: 0,
  unpublish: 0,
  subscribe: 14,
  stream: 2,
  unsubscribe: 5,
  respond: 6,
  unrespond: 2,
  broadcast: 20,
  flood: 6,
  ask: 8,
  askAll: 2,
}

/** Kinds of days: in some everything goes wrong, in others one thing only, so that nothing else can hide a mistake. */
const DAYS = {
  rough: { ...WORK, join: 6, rush: 2, leave: 3, restart: 3, kill: 3, freeze: 4, cut: 4, stall: 4, unpublish: 1 },
  calm: WORK,
  slow: { ...WORK, freeze: 5, stall: 5, flood: 10 },
  crowded: { ...WORK, join: 8, rush: 8, leave: 6, restart: 8, kill: 4, freeze: 2 },
  broken: { ...WORK, cut: 10, stall: 4 },
  loaded: { ...WORK, flood: 30, broadcast: 5, freeze: 2 },
  lean: { ...WORK, subscribe: 14, unsubscribe: 14, leave: 2, join: 4 },
} as const satisfies Record<string, Deeds>

/** What a seed decides for its whole run. */
export interface Plan {
  readonly deeds: Deeds
  readonly conditions: Conditions
  readonly names: readonly string[]
  /** Is everyone sent more than they can deal with? */
  readonly isLoaded: boolean
  /** How likely it is that a name is started twice at the beginning. */
  readonly twins: number
  /** Milliseconds between two steps, at most. */
  readonly pause: number
  readonly optionsOf: (name: string) => EndpointOptions
}

export function planOf(random: Random, { endpoints }: Pick<Extent, 'endpoints'>): Plan {
  const day = random.weighted({ rough: 8, calm: 2, slow: 3, crowded: 3, broken: 2, loaded: 2, lean: 2 })
  const latency = random.pick([0.1, 1, 5])
  const isHard = day !== 'calm'
  const isLoaded = day === 'loaded'
  const limits = { ...limitsOf(random), ...(isLoaded ? LITTLE : {}) }
  const overflow = isLoaded
    ? 'wait'
    : random.pick(['wait', 'wait', 'wait', 'dropOldest', 'dropNewest', 'latest'] as const)
  const watch = random.chance(0.8)
  return {
    deeds: DAYS[day],
    isLoaded,
    twins: day === 'crowded' ? 0.5 : day === 'rough' ? 0.1 : 0,
    conditions: {
      ...FAIR,
      hintLoss: random.pick([0, 0.5, 1]),
      busy: isHard ? random.pick([0, 0, 0.2]) : 0,
      acceptFailure: isHard ? random.pick([0, 0, 0.1]) : 0,
      splitting: random.pick([0, 0.3, 0.9]),
      slow: random.pick([0, 0.02, 0.2]),
      latency,
      slowness: random.pick([10, 60]),
    },
    names: Array.from({ length: endpoints }, (_, index) =>
      String.fromCharCode(97 + (index % 26)).repeat(1 + Math.floor(index / 26)),
    ),
    pause: random.pick([5, 50, 300]),
    optionsOf: (name) => {
      const groups = [name < 'c' ? 'front' : 'back']
      return { name, directory: '/simulated', groups, overflow, watch, limits }
    },
  }
}

/** So that what senders and receivers keep beyond their bounds shows. */
const LITTLE = { outboxBytes: 4100, highWaterMark: 0, windowBytes: 1000 }

/** Small, so that windows are used up, outboxes overflow and patience ends. */
function limitsOf(random: Random): NonNullable<EndpointOptions['limits']> {
  const outbox = random.pick([4100, 8 * 1024, 40 * 1024])
  return {
    frameBytes: 4096,
    outboxBytes: outbox,
    highWaterMark: Math.min(random.pick([0, 2000, 20_000]), outbox - 4100),
    outboxTotalBytes: random.pick([64 * 1024 + 40 * 1024, 1024 * 1024]),
    windowBytes: random.pick([1, 1000, 10_000, 100_000]),
    patience: random.pick([0, 50, 400]),
    pendingRequests: random.pick([1, 3, 100]),
    handshakeTimeout: 1000,
    pendingHandshakes: random.pick([2, 8, 64]),
    redialMin: 10,
    redialMax: 300,
    rescanInterval: 200,
    pingInterval: 300,
    silentPings: 3,
  }
}
