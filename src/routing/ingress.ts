import type { Identity } from '../model/audience'
import { boundaryOf, isWithinBoundary } from '../model/boundary'
import { isReserved } from '../model/reserved'
import { PatternTree } from './pattern-tree'

/** Decides which types an endpoint lets in from other endpoints. They know, but are not trusted to obey. */
export class Ingress {
  readonly #self: Identity
  readonly #accepted: PatternTree<true, boolean> | undefined

  /** @param accepts patterns of the types to let in; undefined lets all in */
  constructor(self: Identity, accepts: readonly string[] | undefined) {
    this.#self = self
    if (!accepts) return
    this.#accepted = new PatternTree((found) => found.length > 0)
    for (const pattern of accepts) this.#accepted.add(pattern, true)
  }

  /** Why an event or request of this type is refused; undefined if it is let in. Reserved requests always are. */
  refusal(what: 'event' | 'request', type: string): string | undefined {
    if (isReserved(type)) return what === 'request' ? undefined : `types that begin with '$' are reserved`
    if (!isWithinBoundary(type, this.#self)) return `the boundary of ${type} is ${describeBoundary(type)}`
    if (this.#accepted?.select(type) === false) return `${type} is not a type that this endpoint accepts`
    return undefined
  }
}

function describeBoundary(type: string): string {
  const boundary = boundaryOf(type) ?? 'internal'
  return boundary === 'internal' ? boundary : `groups ${boundary.groups.join(', ')}`
}
