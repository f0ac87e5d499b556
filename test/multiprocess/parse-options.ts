import type { Audience, BroadcastOptions, EndpointOptions } from '../../src'
import { fields, flag, listOf, number, optional, type Parser, text } from './parse'

export function parseEndpointOptions(value: unknown): EndpointOptions {
  const { name, directory, groups = [], accepts, secret, watch = true, limits = {} } = fields(value)
  const bounds = Object.entries(fields(limits)).map(([limit, bound]) => [limit, number(bound)] as const)
  return {
    name: text(name),
    directory: text(directory),
    groups: listOf(text)(groups),
    ...(accepts !== undefined && { accepts: listOf(text)(accepts) }),
    ...(secret !== undefined && { secret: text(secret) }),
    watch: flag(watch),
    limits: Object.fromEntries(bounds),
  }
}

export function parseBroadcastOptions(value: unknown): BroadcastOptions {
  const { to, except, internal } = fields(value)
  return {
    to: optional(parseAudience)(to),
    except: optional(parseAudience)(except),
    internal: optional(flag)(internal),
  }
}

export const parseAudience: Parser<Audience> = (value) => {
  if (typeof value === 'string') return value
  return Array.isArray(value) ? listOf(text)(value) : { group: text(fields(value).group) }
}
