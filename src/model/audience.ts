import { nearestOf } from './call-options'
import { describe, InvalidArgument, invalid } from './errors'

/** A set of endpoints: one by name, several by name, or all members of a group. */
export type Audience = string | readonly string[] | { readonly group: string }

/** An audience without the short form for one name. */
export type AudienceList = Exclude<Audience, string>

/** A copy that later changes to the original don't reach. */
export function copyAudience(audience: Audience): AudienceList {
  if (typeof audience === 'string') return [audience]
  return 'group' in audience ? { group: audience.group } : [...audience]
}

/** The part of an endpoint's identity that routing uses. */
export interface Identity {
  readonly name: string
  readonly groups: readonly string[]
}

export function includes(audience: Audience, endpoint: Identity): boolean {
  if (typeof audience === 'string') return audience === endpoint.name
  if ('group' in audience) return endpoint.groups.includes(audience.group)
  return audience.includes(endpoint.name)
}

/** Do the options `to` and `except` of a broadcast leave it for this endpoint? */
export function isAddressed(endpoint: Identity, to: Audience | undefined, except: Audience | undefined): boolean {
  return (to === undefined || includes(to, endpoint)) && (except === undefined || !includes(except, endpoint))
}

/** Names shown in a message. */
const MAX_SHOWN = 10

/** The audience in words, for messages. */
export function nameAudience(audience: Audience): string {
  if (typeof audience === 'string') return audience
  if ('group' in audience) return `group ${audience.group}`
  return [...audience.slice(0, MAX_SHOWN), ...(audience.length > MAX_SHOWN ? ['…'] : [])].join(', ') || 'nobody'
}

/** @throws InvalidArgument unless the value is a name, an array of names or `{ group }` */
export function checkAudience(option: string, value: unknown): void {
  if (typeof value === 'string') return
  // `every` skips holes.
  if (Array.isArray(value) && !value.includes(undefined) && value.every((name) => typeof name === 'string')) return
  const expected = 'a name, an array of names or { group }'
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid(option, expected, value)
  if ('group' in value) {
    if (typeof value.group === 'string') return
    throw new InvalidArgument(`${option}: expected ${expected}, got a group that is ${describe(value.group)}`)
  }
  const misspelt = Object.keys(value).find((key) => nearestOf(key, ['group']))
  if (misspelt === undefined) throw invalid(option, expected, value)
  throw new InvalidArgument(
    `${option}: expected ${expected}, got '${misspelt}': did you mean 'group', with the name of one?`,
  )
}
