import { describe, InvalidArgument } from './errors'

/** Whom an event is for: an endpoint's name, several names, or every endpoint that carries a group's label. */
export type Audience = string | readonly string[] | { readonly group: string }

/** An audience without the short form for one name. */
export type AudienceList = Exclude<Audience, string>

/** A copy that later changes to the original don't reach. */
export function copyAudience(audience: Audience): AudienceList {
  if (typeof audience === 'string') return [audience]
  return 'group' in audience ? { group: audience.group } : [...audience]
}

/** What an endpoint tells about itself that routing looks at. */
export interface Identity {
  readonly name: string
  readonly groups: readonly string[]
}

export function includes(audience: Audience, who: Identity): boolean {
  if (typeof audience === 'string') return audience === who.name
  if ('group' in audience) return who.groups.includes(audience.group)
  return audience.includes(who.name)
}

/** The routing decision of one broadcast: is this endpoint meant? */
export function isAddressed(who: Identity, to: Audience | undefined, except: Audience | undefined): boolean {
  return (to === undefined || includes(to, who)) && (except === undefined || !includes(except, who))
}

/** @throws InvalidArgument where the value is none of an audience's three forms */
export function checkAudience(option: string, value: unknown): void {
  if (typeof value === 'string') return
  if (Array.isArray(value) && value.every((name) => typeof name === 'string')) return
  if (typeof value === 'object' && value !== null && 'group' in value && typeof value.group === 'string') return
  throw new InvalidArgument(`${option}: expected a name, an array of names or { group }, got ${describe(value)}`)
}
