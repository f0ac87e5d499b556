import type { Identity } from './audience'
import { InvalidArgument, invalid } from './errors'
import { isName } from './name'

/** How far events of a type may go: not out of the endpoint, or only to endpoints in one of the groups. */
export type Boundary = 'internal' | { readonly groups: readonly string[] }

/** By type name, so that neither another definition of the type nor a plain string gets around it. */
const boundaries = new Map<string, Boundary>()

/**
 * Sets the boundary of a type, for everything that this process sends and receives.
 *
 * @throws InvalidArgument if the value is no boundary, or differs from one defined for the type before
 */
export function drawBoundary(type: string, value: unknown): Boundary {
  const boundary = parseBoundary(type, value)
  const known = boundaries.get(type)
  if (known && JSON.stringify(known) !== JSON.stringify(boundary)) {
    const [want, got] = [known, boundary].map((each) => JSON.stringify(each))
    throw new InvalidArgument(`boundary of ${type}: expected ${want} as it was defined before, got ${got}`)
  }
  boundaries.set(type, boundary)
  return boundary
}

/** The boundary of a type, if it has one. */
export function boundaryOf(type: string): Boundary | undefined {
  return boundaries.size === 0 ? undefined : boundaries.get(type)
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
