import { asError, describe, InvalidArgument, InvalidPayload, type PayloadIssue } from './errors'

/**
 * What schema libraries have in common (https://standardschema.dev, version 1): zod, valibot, arktype and others all
 * make such schemas, and none of them has to be known here.
 */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>
    readonly types?: { readonly input: Input; readonly output: Output } | undefined
  }
}

export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly PayloadIssue[] }

/** What a schema takes: the payload as it is sent. */
export type InputOf<Schema extends StandardSchema> = NonNullable<Schema['~standard']['types']>['input']

/** What a schema makes of it: the payload as it is handed over. */
export type OutputOf<Schema extends StandardSchema> = NonNullable<Schema['~standard']['types']>['output']

export function isSchema(value: unknown): value is StandardSchema {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false
  if (!('~standard' in value)) return false
  const standard = value['~standard']
  if (typeof standard !== 'object' || standard === null) return false
  return 'validate' in standard && typeof standard.validate === 'function'
}

/** @throws InvalidArgument for what is no schema */
export function checkSchema(option: string, value: unknown): StandardSchema {
  if (isSchema(value)) return value
  throw new InvalidArgument(`${option}: expected a schema of the Standard Schema interface, got ${describe(value)}`)
}

/**
 * What the schema makes of a value.
 *
 * Schemas that answer with a promise are refused: events behind a payload that is still being looked at would have to
 * wait for it, or overtake it.
 *
 * @param what the value's name in messages
 * @throws InvalidPayload
 */
export function validate<Output>(schema: StandardSchema<unknown, Output>, value: unknown, what: string): Output {
  const result = run(schema, value, what)
  if ('then' in result) {
    Promise.resolve(result).catch(() => {})
    throw new InvalidPayload(`${what}: expected a schema that answers at once, got a promise`, [])
  }
  if (!result.issues) return result.value
  const list = result.issues.map(describeIssue).join('; ')
  throw new InvalidPayload(`${what}: expected a payload that fits its schema, got one with issues: ${list}`, [
    ...result.issues,
  ])
}

function run<Output>(schema: StandardSchema<unknown, Output>, value: unknown, what: string) {
  try {
    const result = schema['~standard'].validate(value)
    if (typeof result !== 'object' || result === null) {
      throw new TypeError(`expected a value or issues, got ${describe(result)}`)
    }
    if ('issues' in result && result.issues && !areIssues(result.issues)) {
      throw new TypeError(`expected an array of issues, got ${describe(result.issues)}`)
    }
    return result
  } catch (thrown) {
    const cause = asError(thrown)
    throw new InvalidPayload(`${what}: expected an answer of the schema, but it failed: ${cause.message}`, [], {
      cause,
    })
  }
}

/** What a schema not written in TypeScript answers can be anything. */
function areIssues(value: unknown): boolean {
  return Array.isArray(value) && value.every((issue) => typeof issue === 'object' && issue !== null)
}

function describeIssue({ message, path = [] }: PayloadIssue): string {
  const steps = path.map((step) => String(typeof step === 'object' ? step.key : step))
  return steps.length > 0 ? `${steps.join('.')}: ${message}` : message
}
