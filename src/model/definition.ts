import { type Boundary, drawBoundary } from './boundary'
import { describe, InvalidArgument } from './errors'
import { checkOverflow, type Overflow } from './overflow'
import { checkPattern, checkTypeName } from './pattern'
import { checkSchema, type InputOf, isSchema, type OutputOf, type StandardSchema } from './schema'

declare const payloadType: unique symbol
declare const responseType: unique symbol

/** A named event type whose payload type travels with it, from `broadcast` to every way of consuming. */
export interface EventDefinition<Payload, Input = Payload> {
  readonly kind: 'event'
  readonly name: string
  /** What happens to its events for peers that are behind; the endpoint's option, where it doesn't say. */
  readonly overflow?: Overflow | undefined
  /** What payloads are held against, before they are sent and when they arrive. */
  readonly schema?: StandardSchema | undefined
  /** Only in the types: what makes two definitions of different payloads different. */
  readonly [payloadType]?: { readonly sent: Input; readonly received: Payload }
}

/** A named request: what is asked and what is answered. */
export interface RequestDefinition<Request, Response, Asked = Request, Answered = Response> {
  readonly kind: 'request'
  readonly name: string
  readonly schemas: RequestSchemas
  /** Only in the types. */
  readonly [payloadType]?: { readonly sent: Request; readonly received: Asked }
  readonly [responseType]?: { readonly sent: Answered; readonly received: Response }
}

export interface RequestSchemas {
  readonly request?: StandardSchema | undefined
  readonly response?: StandardSchema | undefined
}

/** What events are broadcast and subscribed as: a definition, or a plain string whose payload is `unknown`. */
export type EventType<Payload = unknown, Input = Payload> = EventDefinition<Payload, Input> | string

/** What requests are asked and answered as: a definition, or a plain string whose payloads are `unknown`. */
export type RequestType<Request = unknown, Response = unknown, Asked = Request, Answered = Response> =
  | RequestDefinition<Request, Response, Asked, Answered>
  | string

/** What handlers get. */
export type PayloadOf<Type extends EventType> = Type extends EventDefinition<infer Payload, infer _> ? Payload : unknown

export interface EventOptions<Payload> extends DefinitionOptions {
  /** What happens to its events for peers that are behind. Default: the endpoint's option. */
  readonly overflow?: Overflow<Payload> | undefined
}

export interface DefinitionOptions {
  /** Events never leave it, whatever a caller passes: `internal` to the endpoint, or the groups that may have them. */
  readonly boundary?: Boundary | undefined
}

/**
 * Defines an event type, once, where all its senders and receivers can import it.
 *
 * @param schema of the Standard Schema interface; a payload that doesn't fit is neither sent nor handed over
 * @throws InvalidArgument if the name isn't dotted tokens without white space, `*` or `>`, or is over 255 bytes, and
 *   for a boundary other than one defined for the same name before
 */
export function defineEvent<Schema extends StandardSchema>(
  name: string,
  schema: Schema | (EventOptions<InputOf<Schema>> & { readonly schema: Schema }),
): EventDefinition<OutputOf<Schema>, InputOf<Schema>>
export function defineEvent<Payload = void>(name: string, options?: EventOptions<Payload>): EventDefinition<Payload>
export function defineEvent(name: string, given: unknown = {}): EventDefinition<unknown> {
  const options = isSchema(given) ? { schema: given } : optionsOf(given)
  const type = checkTypeName(name)
  const schema = options.schema === undefined ? undefined : checkSchema(`schema of ${type}`, options.schema)
  const overflow = options.overflow === undefined ? undefined : checkOverflow(`overflow of ${type}`, options.overflow)
  if (options.boundary !== undefined) drawBoundary(type, options.boundary)
  return Object.freeze({ kind: 'event', name: type, schema, overflow })
}

/**
 * Defines a request, once, where those who ask and those who answer can import it.
 *
 * @throws InvalidArgument as `defineEvent` does
 */
export function defineRequest<Request extends StandardSchema, Response extends StandardSchema>(
  name: string,
  schemas: DefinitionOptions & { readonly request: Request; readonly response: Response },
): RequestDefinition<InputOf<Request>, OutputOf<Response>, OutputOf<Request>, InputOf<Response>>
export function defineRequest<Request = void, Response = void>(
  name: string,
  options?: DefinitionOptions,
): RequestDefinition<Request, Response>
export function defineRequest(name: string, given: unknown = {}): RequestDefinition<unknown, unknown> {
  const { boundary, request, response } = optionsOf(given)
  const type = checkTypeName(name)
  const schemas = {
    request: request === undefined ? undefined : checkSchema(`request schema of ${type}`, request),
    response: response === undefined ? undefined : checkSchema(`response schema of ${type}`, response),
  }
  if (boundary !== undefined) drawBoundary(type, boundary)
  return Object.freeze({ kind: 'request', name: type, schemas: Object.freeze(schemas) })
}

/** The name that events are sent under. @throws InvalidArgument */
export function nameOf(type: EventType): string {
  return typeof type === 'string' ? checkTypeName(type) : checkTypeName(definitionOf(type, 'event').name)
}

/** What a subscription is for: the name of a type, or a pattern. @throws InvalidArgument */
export function patternOf(type: EventType): string {
  return typeof type === 'string' ? checkPattern(type) : nameOf(type)
}

/** @throws InvalidArgument */
export function requestNameOf(type: RequestType): string {
  return typeof type === 'string' ? checkTypeName(type) : checkTypeName(definitionOf(type, 'request').name)
}

export function overflowOf(type: EventType): Overflow | undefined {
  return typeof type === 'string' ? undefined : type.overflow
}

export function schemaOf(type: EventType): StandardSchema | undefined {
  return typeof type === 'string' ? undefined : type.schema
}

export function schemasOf(type: RequestType): RequestSchemas {
  return typeof type === 'string' ? {} : type.schemas
}

function definitionOf<Kind extends 'event' | 'request'>(value: { kind: Kind; name: string }, kind: Kind) {
  const given: unknown = value
  if (typeof given === 'object' && given !== null && 'kind' in given && given.kind === kind) return value
  throw new InvalidArgument(`${kind} type: expected a definition of a ${kind} or a string, got ${describe(given)}`)
}

function optionsOf(given: unknown): Readonly<Record<string, unknown>> {
  if (typeof given === 'object' && given !== null) return { ...given }
  throw new InvalidArgument(`definition: expected options or a schema, got ${describe(given)}`)
}

/** A payload may be left out where its type has room for `undefined`. */
export type PayloadAnd<Payload, Options> = undefined extends Payload
  ? [payload?: Payload, options?: Options]
  : [payload: Payload, options?: Options]
