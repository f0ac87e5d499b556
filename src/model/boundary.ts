import type { Identity } from './audience'
import { InvalidArgument, invalid } from './errors'
import { isName } from './name'

/** How far events of a type may go: not out of the endpoint, or only to endpoints in one of the groups. */
export type Boundary = 'internal' | { readonly groups: readonly string[] }

/** Where all copies of this package in a process have their boundaries, whatever their versions. */
const SHARED = Symbol.for('lahja.boundaries')

/**
 * By type name, so that neither another definition of the type nor a plain string gets around it. Another copy may have put
 * anything there, so values are read by `boundaryOf` only.
 */
const boundaries = sharedMap()

/** Boundaries of groups that have been parsed. */
const parsed = new WeakMap<object, Boundary>()

function sharedMap(): Map<unknown, unknown> {
  const shared: unknown = Reflect.get(globalThis, SHARED)
  if (shared instanceof Map) return shared
  const own = new Map<unknown, unknown>()
  Reflect.defineProperty(globalThis, SHARED, { value: own })
  return own
}

/**
 * Sets the boundary of a type, for everything that this process sends and receives.
 *
 * @throws InvalidArgument if the value is no boundary, or differs from one defined for the type before
 */
export function drawBoundary(type: string, value: unknown): Boundary {
  const boundary = parseBoundary(type, value)
  const known = boundaryOf(type)
  if (known && JSON.stringify(known) !== JSON.stringify(boundary)) {
    const [want, got] = [known, boundary].map((each) => JSON.stringify(each))
    throw new InvalidArgument(`boundary of ${type}: expected ${want} as it was defined before, got ${got}`)
  }
  if (!known) boundaries.set(type, boundary)
  return boundary
}

/** The boundary of a type, if it has one: `internal` in place of one that only another version of this package knows. */
export function boundaryOf(type: string): Boundary | undefined {
  if (boundaries.size === 0) return undefined
  const found = boundaries.get(type)
  if (found === undefined || found === 'internal') return found
  if (typeof found !== 'object' || found === null) return 'internal'
  return parsed.get(found) ?? readShared(type, found)
}

function readShared(type: string, found: object): Boundary {
  let boundary: Boundary = 'internal'
  try {
    boundary = parseBoundary(type, found)
  } catch {
    // What can't be understood must not let anything out.
  }
  parsed.set(found, boundary)
  return boundary
}

/**
 * Whether an endpoint may have events and requests of a type.
 *
 * This is the one rule behind every check: where interest is announced, where events and requests are sent, and once
 * more where they arrive.
 *
 * @param isOwn whether it is the endpoint that asks: no boundary keeps a type from its own sender
 */
export function isWithinBoundary(type: string, endpoint: Identity, isOwn = false): boolean {
  const boundary = boundaryOf(type)
  if (boundary === undefined || isOwn) return true
  return boundary !== 'internal' && boundary.groups.some((group) => endpoint.groups.includes(group))
}

function parseBoundary(type: string, value: unknown): Boundary {
  if (value === 'internal') return value
  if (typeof value === 'object' && value !== null && 'groups' in value && Array.isArray(value.groups)) {
    const groups: unknown[] = [...value.groups]
    if (groups.length > 0 && groups.every((group) => typeof group === 'string' && isName(group))) {
      return Object.freeze({ groups: Object.freeze([...new Set(groups.map(String))].sort()) })
    }
  }
  throw invalid(`boundary of ${type}`, "'internal' or { groups: [names] }", value)
}
