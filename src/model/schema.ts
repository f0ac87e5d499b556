import { describe, InvalidPayload, invalid, type PayloadIssue } from './errors'
import { asError, messageOf, textOf } from './thrown'

/** A schema of any library that implements Standard Schema (https://standardschema.dev): zod, valibot, arktype and others. */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>
    readonly types?: { readonly input: Input; readonly output: Output } | undefined
  }
}

/** What `validate` of a schema returns: the value, or what is wrong with it. */
export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly PayloadIssue[] }

/** The payload as it is sent: the input of its schema. */
export type InputOf<Schema extends StandardSchema> = NonNullable<Schema['~standard']['types']>['input']

/** The payload as handlers receive it: the output of its schema. */
export type OutputOf<Schema extends StandardSchema> = NonNullable<Schema['~standard']['types']>['output']

export function isSchema(value: unknown): value is StandardSchema {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false
  if (!('~standard' in value)) return false
  const standard = value['~standard']
  if (typeof standard !== 'object' || standard === null) return false
  return 'validate' in standard && typeof standard.validate === 'function'
}

/** @throws InvalidArgument unless the value is a schema */
export function checkSchema(option: string, value: unknown): StandardSchema {
  if (isSchema(value)) return value
  throw invalid(option, 'a schema of the Standard Schema interface', value)
}

/** Issues of one payload that an error has, and of these in its message; a schema can find as many as the payload is long. */
const MAX_ISSUES = 100
const MAX_DESCRIBED = 10

/**
 * Returns the schema's output for a value. A schema that returns a promise is refused: later events would have to wait
 * for it, or overtake.
 *
 * @param subject what the value is, for error messages
 * @throws InvalidPayload
 */
export function validate<Output>(schema: StandardSchema<unknown, Output>, value: unknown, subject: string): Output {
  const result = run(schema, value, subject)
  if (result.kind === 'valid') return result.value
  if (result.kind === 'async') {
    // Some schemas answer so if their own code throws. What it threw can't be known without waiting.
    const problem = 'its schema validates asynchronously, or throws, as it returns a promise'
    throw new InvalidPayload(`${subject}: ${problem}; use a synchronous schema`, [])
  }
  const { issues } = result
  const list = issues.slice(0, MAX_DESCRIBED).map((issue) => textOf(() => describeIssue(issue)))
  const more = issues.length > MAX_DESCRIBED ? '; …' : ''
  throw new InvalidPayload(`${subject}: the payload does not match its schema: ${list.join('; ')}${more}`, issues)
}

type Validation<Output> =
  | { readonly kind: 'valid'; readonly value: Output }
  | { readonly kind: 'invalid'; readonly issues: readonly PayloadIssue[] }
  | { readonly kind: 'async' }

/** Reads all of a result here: a schema that isn't written in TypeScript can return anything, also getters that throw. */
function run<Output>(schema: StandardSchema<unknown, Output>, value: unknown, subject: string): Validation<Output> {
  try {
    const result = schema['~standard'].validate(value)
    if (typeof result !== 'object' || result === null) {
      throw new TypeError(`expected a value or issues, got ${describe(result)}`)
    }
    if ('then' in result) {
      void settled(result)
      return { kind: 'async' }
    }
    const { issues } = result
    if (!issues) return { kind: 'valid', value: result.value }
    return { kind: 'invalid', issues: copyOf(issues) }
  } catch (thrown) {
    const cause = asError(thrown)
    throw new InvalidPayload(`${subject}: its schema failed: ${messageOf(cause)}`, [], { cause })
  }
}

/** Not by methods of the array, as it may have others of their names. */
function copyOf(issues: readonly PayloadIssue[]): readonly PayloadIssue[] {
  const isArray = Array.isArray(issues)
  const copy = isArray ? Array.from({ length: Math.min(issues.length, MAX_ISSUES) }, (_, index) => issues[index]) : []
  const known = copy.filter((issue) => typeof issue === 'object' && issue !== null)
  if (isArray && known.length === copy.length) return known
  throw new TypeError(`expected an array of issues, got ${describe(issues)}`)
}

/** Waits for a promise, so that its rejection is handled. Not by its methods, which may be others. */
async function settled(promise: object): Promise<void> {
  try {
    await promise
  } catch {}
}

function describeIssue({ message, path }: PayloadIssue): string {
  const steps = Array.isArray(path) ? path.map((step) => String(isObject(step) ? step.key : step)) : []
  return steps.length > 0 ? `${steps.join('.')}: ${message}` : String(message)
}

function isObject(step: unknown): step is { readonly key: unknown } {
  return typeof step === 'object' && step !== null && 'key' in step
}
