import type { Boundary } from '../../src'
import { fields, listOf, nothing, optional, type Parser, text } from './parse'
import type { Procedure } from './procedure'

const SCHEMA_NAMES = ['number', 'digit', 'negated', 'anything'] as const

export type SchemaName = (typeof SCHEMA_NAMES)[number]

const POLICIES = ['wait', 'dropOldest', 'dropNewest', 'latest', 'latestByKey', 'disconnect'] as const

/** What becomes of events that a peer does not read; `latestByKey` goes by the `key` in the payload. */
export type PolicyName = (typeof POLICIES)[number]

/** How a process defines a type, whatever others make of it. */
export interface Definition {
  readonly type: string
  readonly boundary?: Boundary | undefined
  /** Of events. Default: that of the endpoint. */
  readonly overflow?: PolicyName | undefined
  /** Of events and requests. Default: anything. */
  readonly schema?: SchemaName | undefined
  /** Of responses. Default: anything. */
  readonly response?: SchemaName | undefined
}

export const defineEvent: Procedure<Definition, void> = {
  name: 'defineEvent',
  argument: parseDefinition,
  answer: nothing,
}

export const defineRequest: Procedure<Definition, void> = {
  name: 'defineRequest',
  argument: parseDefinition,
  answer: nothing,
}

function parseDefinition(value: unknown): Definition {
  const { type, boundary, overflow, schema, response } = fields(value)
  return {
    type: text(type),
    boundary: optional(parseBoundary)(boundary),
    overflow: optional(parsePolicyName)(overflow),
    schema: optional(parseSchemaName)(schema),
    response: optional(parseSchemaName)(response),
  }
}

const parseBoundary: Parser<Boundary> = (value) => {
  return value === 'internal' ? value : { groups: listOf(text)(fields(value).groups) }
}

function parsePolicyName(value: unknown): PolicyName {
  const policy = POLICIES.find((known) => known === value)
  if (policy) return policy
  throw new TypeError(`expected one of ${POLICIES.join(', ')}, got ${JSON.stringify(value)}`)
}

function parseSchemaName(value: unknown): SchemaName {
  const name = SCHEMA_NAMES.find((known) => known === value)
  if (name) return name
  throw new TypeError(`expected one of ${SCHEMA_NAMES.join(', ')}, got ${JSON.stringify(value)}`)
}
