import { type Audience, type Identity, isAddressed, nameAudience } from '../model/audience'
import { boundaryOf, isWithinBoundary } from '../model/boundary'

/** Whom one broadcast or request is for. */
export interface Addressing {
  readonly to?: Audience | undefined
  readonly except?: Audience | undefined
  readonly internal?: boolean | undefined
}

/** An endpoint that something could be sent to. */
export interface Candidate {
  readonly identity: Identity
  /** Whether it is the sending endpoint itself. */
  readonly isOwn: boolean
}

/** Whether an endpoint may have this event or request: addressed to it, and within the boundary of its type. */
export function isEligible(type: string, { identity, isOwn }: Candidate, addressing: Addressing = {}): boolean {
  const { to, except, internal } = addressing
  if (internal && !isOwn) return false
  return isWithinBoundary(type, identity, isOwn) && isAddressed(identity, to, except)
}

/** The subject of a sentence that says that nobody may have an event or request. */
export function noEndpoint(type: string, { to, except, internal }: Addressing = {}): string {
  const limits = [
    to === undefined ? '' : `to ${nameAudience(to)}`,
    except === undefined ? '' : `except ${nameAudience(except)}`,
    internal ? 'internal' : '',
    boundaryOf(type) === undefined ? '' : 'within its boundary',
  ].filter((limit) => limit !== '')
  return limits.length === 0 ? 'no endpoint' : `no endpoint that it is addressed to (${limits.join('; ')})`
}
