import type { Boundary } from '../../src'
import { fields, listOf, nothing, optional, type Parser, text } from './parse'
import type { Procedure } from './procedure'

const SCHEMA_NAMES = ['number', 'digit', 'negated', 'anything'] as const

export type SchemaName = (typeof SCHEMA_NAMES)[number]

/** How a process defines a type, whatever others make of it. */
export interface Definition {
  readonly type: string
  readonly boundary?: Boundary | undefined
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
  const { type, boundary, schema, response } = fields(value)
  return {
    type: text(type),
    boundary: optional(parseBoundary)(boundary),
    schema: optional(parseSchemaName)(schema),
    response: optional(parseSchemaName)(response),
  }
}

const parseBoundary: Parser<Boundary> = (value) => {
  return value === 'internal' ? value : { groups: listOf(text)(fields(value).groups) }
}

function parseSchemaName(value: unknown): SchemaName {
  const name = SCHEMA_NAMES.find((known) => known === value)
  if (name) return name
  throw new TypeError(`expected one of ${SCHEMA_NAMES.join(', ')}, got ${JSON.stringify(value)}`)
}
