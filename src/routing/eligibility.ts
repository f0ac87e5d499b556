import { type Audience, type Identity, isAddressed } from '../model/audience'
import { isWithinBoundary } from '../model/boundary'

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
