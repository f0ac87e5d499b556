import * as v from 'valibot'
import type { Boundary } from '../../src'
import { nothing, procedure, type Schema } from './procedure'

const schemaName = v.picklist(['number', 'digit', 'negated', 'anything'])

export type SchemaName = v.InferOutput<typeof schemaName>

/** An overflow policy; `latestByKey` goes by the `key` in the payload. */
const policyName = v.picklist(['wait', 'dropOldest', 'dropNewest', 'latest', 'latestByKey', 'disconnect'])

export type PolicyName = v.InferOutput<typeof policyName>

const boundary: Schema<Boundary> = v.union([v.literal('internal'), v.object({ groups: v.array(v.string()) })])

/** How a process defines a type; others may define it otherwise. */
const definition = v.object({
  type: v.string(),
  boundary: v.optional(boundary),
  /** Of events. Default: that of the endpoint. */
  overflow: v.optional(policyName),
  /** Of events: how often they are given again. Default: never. */
  redeliver: v.optional(v.number()),
  /** Of events and requests. Default: anything. */
  schema: v.optional(schemaName),
  /** Of responses. Default: anything. */
  response: v.optional(schemaName),
})

export type Definition = v.InferOutput<typeof definition>

export const defineEvent = procedure('defineEvent', definition, nothing)

export const defineRequest = procedure('defineRequest', definition, nothing)
