import type { EndpointOptions } from '../../src'
import type { LimitOptions } from '../../src/options'
import type { Conditions } from './network-faults'
import { FAIR } from './network-faults'
import type { Random } from './random'

/** The size of a run. */
export interface Extent {
  readonly endpoints: number
  readonly steps: number
  /** The profile of every seed. By default each seed picks its own. */
  readonly profile?: Profile
}

/** An action of a member, or a fault. */
export type Action =
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

export type ActionWeights = Readonly<Record<Action, number>>

const WORK: ActionWeights = {
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

/** Relative frequencies of actions. Some profiles have only one kind of fault, so that no other can hide a mistake. */
const PROFILES = {
  rough: { ...WORK, join: 6, rush: 2, leave: 3, restart: 3, kill: 3, freeze: 4, cut: 4, stall: 4, unpublish: 1 },
  calm: WORK,
  slow: { ...WORK, freeze: 5, stall: 5, flood: 10 },
  crowded: { ...WORK, join: 8, rush: 8, leave: 6, restart: 8, kill: 4, freeze: 2 },
  broken: { ...WORK, cut: 10, stall: 4 },
  loaded: { ...WORK, flood: 30, broadcast: 5, freeze: 2 },
  hidden: { ...WORK, join: 8, leave: 2, unpublish: 8 },
  leaving: { ...WORK, flood: 20, join: 6, leave: 8, restart: 8 },
  lean: { ...WORK, subscribe: 14, unsubscribe: 14, leave: 2, join: 4 },
  working: {
    ...WORK,
    join: 8,
    leave: 3,
    restart: 4,
    kill: 4,
    freeze: 3,
    cut: 5,
    stall: 3,
    flood: 20,
    respond: 1,
    ask: 1,
  },
  /** The same with little else than stops, long enough for a peer to be unresponsive and for its events to be recalled. */
  stopping: { ...WORK, join: 4, leave: 1, freeze: 16, flood: 25, respond: 1, ask: 1 },
  /** With faults so rare that most members of a queue stay in it. */
  dying: { ...WORK, join: 4, kill: 1, cut: 1, unsubscribe: 1, flood: 25, respond: 1, ask: 1 },
} as const satisfies Record<string, ActionWeights>

export type Profile = keyof typeof PROFILES

export const PROFILE_NAMES = Object.keys(PROFILES)

export function isProfile(name: string): name is Profile {
  return name in PROFILES
}

/** The decisions of a seed for its whole run. */
export interface Plan {
  readonly actions: ActionWeights
  readonly conditions: Conditions
  readonly names: readonly string[]
  /** Whether receivers are overloaded. */
  readonly isLoaded: boolean
  /** Whether some requests are ordered. Only with a virtual clock no handler has a backlog that its process yields from. */
  readonly hasOrder: boolean
  /** Whether every handler takes a while. */
  readonly isSlow: boolean
  /** Whether nearly every subscription is in a queue, most with `prefetch`. */
  readonly isWorking: boolean
  /** Largest number of bytes in the payload of an event: more than some endpoints take, if their frame limits differ. */
  readonly largest: number
  /** Milliseconds for which a process is stopped, at most. */
  readonly longestStop: number
  /** The probability that a name is started twice at the beginning. */
  readonly twins: number
  /** Maximum milliseconds between two steps. */
  readonly pause: number
  readonly optionsOf: (name: string) => EndpointOptions & { readonly name: string }
}

/** How often seeds have each profile. */
const FREQUENCIES = {
  rough: 8,
  calm: 2,
  slow: 3,
  crowded: 3,
  broken: 2,
  loaded: 2,
  hidden: 2,
  leaving: 4,
  lean: 2,
  working: 4,
  stopping: 1,
  dying: 1,
}

export function planOf(random: Random, { endpoints, profile: given }: Omit<Extent, 'steps'>): Plan {
  const profile = given ?? random.weighted(FREQUENCIES)
  const latency = random.pick([0.1, 1, 5])
  const isHard = profile !== 'calm'
  const isLoaded = profile === 'loaded'
  const isWorking = ['working', 'stopping', 'dying'].includes(profile)
  const limits = { ...limitsOf(random), ...(isLoaded ? LITTLE : {}) }
  const overflow = isLoaded
    ? 'wait'
    : random.pick(['wait', 'wait', 'wait', 'dropOldest', 'dropNewest', 'latest'] as const)
  const hasMixedFrames = !isLoaded && random.chance(0.2)
  const watch = random.chance(0.8)
  const waitForName = watch ? 0 : 2000
  return {
    actions: PROFILES[profile],
    isLoaded,
    hasOrder: true,
    isSlow: isLoaded || profile === 'leaving' || isWorking,
    isWorking,
    largest: hasMixedFrames ? 2 * LARGE_FRAME_BYTES : 3000,
    longestStop: profile === 'stopping' ? 5000 : 2000,
    twins: profile === 'crowded' ? 0.5 : profile === 'rough' ? 0.1 : 0,
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
      const own = hasMixedFrames && name > 'b' ? withLargeFrames(limits) : limits
      return { name, directory: '/simulated', groups, overflow, watch, waitForName, limits: own }
    },
  }
}

/** Small bounds, so that exceeding them is noticed. */
const LITTLE = { outboxBytes: 4100, highWaterMark: 0, windowBytes: 1000 }

/** Bytes of a frame that only some endpoints take. */
const LARGE_FRAME_BYTES = 8192

function withLargeFrames(limits: LimitOptions): LimitOptions {
  const outboxBytes = Math.max(limits.outboxBytes ?? 0, 2 * LARGE_FRAME_BYTES)
  return { ...limits, frameBytes: LARGE_FRAME_BYTES, outboxBytes }
}

/** Small, so that windows fill up, outboxes overflow and patience ends. */
function limitsOf(random: Random): LimitOptions {
  const outbox = random.pick([4100, 8 * 1024, 40 * 1024])
  return {
    frameBytes: 4096,
    outboxBytes: outbox,
    highWaterMark: Math.min(random.pick([0, 2000, 20_000]), outbox - 4100),
    outboxTotalBytes: random.pick([64 * 1024 + 40 * 1024, 1024 * 1024]),
    windowBytes: random.pick([1, 1000, 10_000, 100_000]),
    patience: random.pick([0, 50, 400]),
    slowShare: random.pick([1, 1, 0.05]),
    pendingRequests: random.pick([1, 3, 100]),
    handshakeTimeout: 1000,
    pendingHandshakes: random.pick([2, 8, 64]),
    redialMin: 10,
    redialMax: 300,
    rescanInterval: 200,
    pingInterval: 300,
    silentPings: 2,
  }
}
