import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Secret } from './mesh/secret'
import { isBytes } from './model/bytes'
import { checkBoolean, checkOptions, type OptionNames, unknownOption } from './model/call-options'
import { InvalidArgument, invalid } from './model/errors'
import { DEFAULT_LIMITS, HANDSHAKE_FRAME_BYTES, type Limits, MAX_FRAME_BYTES } from './model/limits'
import { checkName } from './model/name'
import { checkOverflow, type Overflow } from './model/overflow'
import { checkPattern } from './model/pattern'
import { runtimeDirectory } from './platform/runtime-directory'
import { checkTimeout, type WaitOptions } from './platform/waits'
import { PREFIX_BYTES } from './wire/frame'
import { SLAB_BYTES } from './wire/slabs'

export interface EndpointOptions {
  /**
   * Unique on the bus: 1 to 64 of `A-Z a-z 0-9 . _ -`, the first a letter or a digit. With a prefix, of at most 57, the
   * endpoint gets a free name of its own, such as `worker-x3k9f2`.
   */
  readonly name: string | NamePrefix
  /** Milliseconds to wait for a name that another endpoint has; after that, `NameInUse`. Default 0. */
  readonly waitForName?: number | undefined
  /** Milliseconds until the start rejects with `WaitTimeout`. Default: no limit. */
  readonly timeout?: number | undefined
  /** Ends the start with `AbortError`. Once the endpoint has started, it does nothing. */
  readonly signal?: AbortSignal | undefined
  /**
   * The bus directory: endpoints that use the same directory find each other. Default: `$LAHJA_DIRECTORY`, or
   * `$LAHJA_DIRECTORY/<bus>` if `bus` is set and not `default`; else `$XDG_RUNTIME_DIR/lahja/<bus>` if that variable names
   * a directory of this user with mode 0700; else `<tmpdir>/lahja-<uid>/<bus>`.
   */
  readonly directory?: string | undefined
  /**
   * The bus, for several side by side: endpoints of the same bus find each other, also with `$LAHJA_DIRECTORY` set. Named
   * like an endpoint; can't be used beside `directory`. Default `default`.
   */
  readonly bus?: string | undefined
  /**
   * Labels by which senders can address several endpoints at once, named like endpoints. Together with `accepts`, at most
   * 3,072 bytes. Default none.
   */
  readonly groups?: readonly string[] | undefined
  /**
   * Patterns of the types that this endpoint accepts from other endpoints. Peers don't send other types, and any
   * that arrive all the same are refused. Default: all types.
   */
  readonly accepts?: readonly string[] | undefined
  /**
   * A secret that all endpoints of the bus share, best 32 random bytes; a string is taken as UTF-8. A link comes up
   * only when both sides have proved that they know it. With a secret, a user group may share the directory (see
   * SECURITY.md). Default none.
   */
  readonly secret?: string | Uint8Array | undefined
  /** How events to slow peers are handled, unless their definition says otherwise. Default `wait`. */
  readonly overflow?: Overflow | undefined
  /** Whether broadcasts without a subscriber throw `NoSubscribers`. Default false. */
  readonly requireSubscriber?: boolean | undefined
  /** Whether to watch the directory, so that peers are found before the next rescan. Default true. */
  readonly watch?: boolean | undefined
  /**
   * Whether it answers the requests `$lahja.stats`, `$lahja.peers` and `$lahja.ping`, with which the bus can be observed.
   * Default true.
   */
  readonly introspection?: boolean | undefined
  /** Limits that differ from the defaults. */
  readonly limits?: LimitOptions | undefined
}

/** What a name begins with. */
export interface NamePrefix {
  readonly prefix: string
}

const NAME_PREFIX: OptionNames<NamePrefix> = { prefix: true }

const OPTIONS: OptionNames<EndpointOptions> = {
  name: true,
  waitForName: true,
  timeout: true,
  signal: true,
  directory: true,
  bus: true,
  groups: true,
  accepts: true,
  secret: true,
  overflow: true,
  requireSubscriber: true,
  watch: true,
  introspection: true,
  limits: true,
}

/** Any of the limits; those left out have their defaults. */
export type LimitOptions = { readonly [Name in keyof Limits]?: Limits[Name] | undefined }

/** Options that have been checked and completed. */
export interface Settings {
  /** The name, or what it begins with. */
  readonly name: string
  readonly isPrefix: boolean
  readonly waitForName: number
  /** Of the start. */
  readonly wait: WaitOptions
  readonly groups: readonly string[]
  /** Absolute. */
  readonly directory: string
  /** Parent directories that this package creates, which must be as safe as the directory itself. */
  readonly ownParents: readonly string[]
  readonly accepts: readonly string[] | undefined
  readonly secret: Secret | undefined
  readonly overflow: Overflow
  readonly requireSubscriber: boolean
  readonly watch: boolean
  readonly introspection: boolean
  readonly limits: Limits
  /** Process id, shown to peers. */
  readonly pid: number
}

/** Characters of the longest name. */
const NAME_LENGTH = 64

/** Characters that follow a prefix: a dash, and the end of the id. */
const SUFFIX_LENGTH = 7

/** The minimum of each limit. The maximum is what a timer, or a 32-bit length, takes. */
const LEAST: Limits = {
  frameBytes: HANDSHAKE_FRAME_BYTES,
  handshakeTimeout: 1,
  pendingHandshakes: 1,
  highWaterMark: 0,
  outboxBytes: HANDSHAKE_FRAME_BYTES + PREFIX_BYTES,
  outboxTotalBytes: HANDSHAKE_FRAME_BYTES + PREFIX_BYTES + SLAB_BYTES,
  windowBytes: 1,
  patience: 0,
  slowShare: 0,
  pendingRequests: 1,
  interests: 1,
  redialMin: 1,
  redialMax: 1,
  rescanInterval: 1,
  pingInterval: 1,
  silentPings: 1,
}

const MOST = 2 ** 31 - 1

/** Limits of 0.1.0 by their names of now. */
const RENAMED: ReadonlyMap<string, keyof Limits> = new Map([
  ['frame', 'frameBytes'],
  ['outbox', 'outboxBytes'],
  ['outboxTotal', 'outboxTotalBytes'],
  ['window', 'windowBytes'],
  ['handshakes', 'pendingHandshakes'],
  ['rescan', 'rescanInterval'],
  ['ping', 'pingInterval'],
])

/** Bytes of all groups and patterns together, so that a hello fits into a frame before the handshake. */
const HELLO_BYTES = HANDSHAKE_FRAME_BYTES - 1024

/** @throws InvalidArgument with the option, its expected values and the actual one */
export function settingsOf(options: EndpointOptions): Settings {
  if (typeof options !== 'object' || options === null) throw invalid('options', '{ name, … }', options)
  checkOptions('Endpoint.start', options, OPTIONS)
  const { timeout, signal, waitForName = 0, groups: labels = [], overflow = 'wait', limits = {} } = options
  const { requireSubscriber = false, watch = true, introspection = true } = options
  checkTimeout(timeout)
  checkTimeout(waitForName, 'waitForName')
  checkBoolean('requireSubscriber', requireSubscriber)
  checkBoolean('watch', watch)
  checkBoolean('introspection', introspection)
  const groups = checkArray('groups', labels).map((group, index) => checkName(`groups[${index}]`, group))
  const accepts =
    options.accepts === undefined ? undefined : checkArray('accepts', options.accepts, 'patterns').map(checkPattern)
  const bytes = Buffer.byteLength([...groups, ...(accepts ?? [])].join(',,'))
  if (bytes > HELLO_BYTES) throw invalid('groups, accepts', `at most ${HELLO_BYTES} bytes together`, bytes)
  return {
    ...checkNameOption(options.name),
    waitForName,
    wait: { timeout, signal },
    groups,
    accepts,
    secret: options.secret === undefined ? undefined : checkSecret(options.secret),
    overflow: checkOverflow('overflow', overflow),
    requireSubscriber,
    watch,
    introspection,
    limits: checkLimits(limits),
    pid: process.pid,
    ...locate(options, process.env),
  }
}

function checkNameOption(name: unknown): Pick<Settings, 'name' | 'isPrefix'> {
  if (typeof name !== 'object' || name === null) return { name: checkName('name', name), isPrefix: false }
  checkOptions('name', name, NAME_PREFIX)
  const prefix: unknown = Reflect.get(name, 'prefix')
  const most = NAME_LENGTH - SUFFIX_LENGTH
  if (typeof prefix === 'string' && prefix.length > most)
    throw new InvalidArgument(`name.prefix: expected at most ${most} characters, got ${prefix.length}`)
  return { name: checkName('name.prefix', prefix), isPrefix: true }
}

/** The name of an endpoint with this id. */
export function endpointNameOf({ name, isPrefix }: Pick<Settings, 'name' | 'isPrefix'>, id: string): string {
  return isPrefix ? `${name}-${id.slice(1 - SUFFIX_LENGTH)}` : name
}

/** The bus that is `$LAHJA_DIRECTORY` itself; others are subdirectories of it. */
const DEFAULT_BUS = 'default'

/** The bus directory: from the option, else the environment variable, else the default. */
function locate(
  { directory, bus }: EndpointOptions,
  env: NodeJS.ProcessEnv,
): Pick<Settings, 'directory' | 'ownParents'> {
  const given: unknown = directory === undefined ? env.LAHJA_DIRECTORY || undefined : directory
  if (given !== undefined && (typeof given !== 'string' || given === '')) {
    throw invalid('directory', 'a path', given)
  }
  if (directory !== undefined && bus !== undefined) {
    throw new InvalidArgument('bus: expected no bus beside a directory, as the bus is a part of the default directory')
  }
  const name = checkName('bus', bus === undefined ? DEFAULT_BUS : bus)
  if (given) return { directory: name === DEFAULT_BUS ? resolve(given) : resolve(given, name), ownParents: [] }
  const runtime = runtimeDirectory(env.XDG_RUNTIME_DIR)
  const parent = runtime ? join(runtime, 'lahja') : join(tmpdir(), `lahja-${process.geteuid?.() ?? ''}`)
  if (env.XDG_RUNTIME_DIR && !runtime) warnOfRuntimeDirectory(env.XDG_RUNTIME_DIR, parent)
  return { directory: join(parent, name), ownParents: [parent] }
}

/** The last runtime directory that a warning was about. */
let unusable: string | undefined

/** Endpoints with another environment use another bus, and nothing else would show why. Warns once. */
function warnOfRuntimeDirectory(path: string, instead: string): void {
  if (path === unusable) return
  unusable = path
  const why = 'it is not a directory of this user with mode 0700; set the option directory, or LAHJA_DIRECTORY, for all'
  process.emitWarning(`lahja doesn't use XDG_RUNTIME_DIR (${path}) but ${instead}: ${why}`, {
    type: 'LahjaWarning',
    code: 'LAHJA_RUNTIME_DIRECTORY',
  })
}

function checkLimits(options: LimitOptions): Limits {
  if (typeof options !== 'object' || options === null) throw invalid('limits', '{ frameBytes, … }', options)
  for (const [name, value] of Object.entries(options)) checkLimit(name, value)
  const given: Partial<Limits> = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
  const limits: Limits = { ...DEFAULT_LIMITS, ...dependentDefaults(given), ...given }
  const { frameBytes, outboxBytes, outboxTotalBytes, highWaterMark, redialMin, redialMax } = limits
  const room = frameBytes + PREFIX_BYTES
  const mark = outboxBytes - room
  const total = outboxBytes + SLAB_BYTES
  assertLimit(outboxBytes >= room, 'outboxBytes', `at least limits.frameBytes + ${PREFIX_BYTES} (${room})`, outboxBytes)
  const least = `at least limits.outboxBytes + ${SLAB_BYTES} (${total})`
  assertLimit(outboxTotalBytes >= total, 'outboxTotalBytes', least, outboxTotalBytes)
  const below = `at most limits.outboxBytes - limits.frameBytes - ${PREFIX_BYTES} (${mark})`
  assertLimit(highWaterMark <= mark, 'highWaterMark', below, highWaterMark)
  assertLimit(redialMax >= redialMin, 'redialMax', `at least limits.redialMin (${redialMin})`, redialMax)
  return limits
}

function checkLimit(name: string, value: unknown): void {
  const least = Object.entries(LEAST).find(([known]) => known === name)?.[1]
  if (least === undefined) {
    const renamed = RENAMED.get(name)
    if (renamed) throw new InvalidArgument(`limits.${name} was renamed in 0.2.0: use '${renamed}'`)
    throw unknownOption('limits', name, LEAST)
  }
  if (value === undefined) return
  if (name === 'slowShare') {
    if (typeof value === 'number' && value >= 0 && value <= 1) return
    throw invalid(`limits.${name}`, 'a number from 0 to 1', value)
  }
  const most = name === 'frameBytes' ? MAX_FRAME_BYTES : name === 'highWaterMark' ? MOST - LEAST.outboxBytes : MOST
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return
  throw invalid(`limits.${name}`, `a whole number from ${least} to ${most}`, value)
}

/** Defaults that depend on other limits. */
function dependentDefaults(given: Partial<Limits>): Partial<Limits> {
  const { frameBytes, outboxBytes } = { ...DEFAULT_LIMITS, ...given }
  const { redialMin, redialMax } = given
  const { highWaterMark, redialMin: least, redialMax: most } = DEFAULT_LIMITS
  return {
    outboxTotalBytes: Math.max(DEFAULT_LIMITS.outboxTotalBytes, outboxBytes + SLAB_BYTES),
    highWaterMark: Math.min(highWaterMark, Math.floor(outboxBytes / 2), outboxBytes - frameBytes - PREFIX_BYTES),
    redialMin: Math.min(least, redialMax ?? most),
    redialMax: Math.max(most, redialMin ?? least),
  }
}

function assertLimit(condition: boolean, limit: keyof Limits, expected: string, got: number): void {
  if (!condition) throw invalid(`limits.${limit}`, expected, got)
}

function checkArray(name: string, value: unknown, items = 'names'): readonly unknown[] {
  // A copy has no holes, which `map` would skip.
  if (Array.isArray(value)) return [...value]
  throw invalid(name, `an array of ${items}`, value)
}

/** The message doesn't quote the value: it may be a secret of the wrong type. */
function checkSecret(value: unknown): Secret {
  const isValid = (typeof value === 'string' || isBytes(value)) && value.length > 0
  if (isValid) return new Secret(value)
  throw new InvalidArgument('secret: expected a string or a Uint8Array of at least one byte, got another value')
}
