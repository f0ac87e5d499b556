import type { Identity } from './audience'
import { describe, InvalidArgument } from './errors'
import { isName } from './name'

/** How far events of a type may go: not out of the endpoint, or only to endpoints that carry one of the groups. */
export type Boundary = 'internal' | { readonly groups: readonly string[] }

/** By the name of the type, so that no other definition of it, and no string, gets around it. */
const boundaries = new Map<string, Boundary>()

/**
 * Draws the boundary of a type, for all that this process sends and receives.
 *
 * @throws InvalidArgument for what is no boundary, and for another one than was drawn before
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

/** The boundary of a type, if one has been drawn. */
export function boundaryOf(type: string): Boundary | undefined {
  return boundaries.size === 0 ? undefined : boundaries.get(type)
}

/** May an endpoint other than the sender's own have events within the boundary? */
export function isWithin(boundary: Boundary, who: Identity): boolean {
  return boundary !== 'internal' && boundary.groups.some((group) => who.groups.includes(group))
}

function parseBoundary(type: string, value: unknown): Boundary {
  if (value === 'internal') return value
  if (typeof value === 'object' && value !== null && 'groups' in value && Array.isArray(value.groups)) {
    const groups: unknown[] = [...value.groups]
    if (groups.length > 0 && groups.every((group) => typeof group === 'string' && isName(group))) {
      return Object.freeze({ groups: Object.freeze([...new Set(groups.map(String))].sort()) })
    }
  }
  throw new InvalidArgument(`boundary of ${type}: expected 'internal' or { groups: [names] }, got ${describe(value)}`)
}
