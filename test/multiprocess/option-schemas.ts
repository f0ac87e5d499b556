import * as v from 'valibot'
import type { Audience, BroadcastOptions, EndpointOptions } from '../../src'
import type { Schema } from './procedure'

const names = v.array(v.string())

export const audience: Schema<Audience> = v.union([v.string(), names, v.object({ group: v.string() })])

export const broadcastOptions: Schema<BroadcastOptions> = v.object({
  to: v.optional(audience),
  except: v.optional(audience),
  internal: v.optional(v.boolean()),
})

export const endpointOptions: Schema<EndpointOptions> = v.object({
  name: v.string(),
  directory: v.string(),
  groups: v.optional(names),
  accepts: v.optional(names),
  secret: v.optional(v.string()),
  watch: v.optional(v.boolean()),
  limits: v.optional(v.record(v.string(), v.number())),
})
