import { type Boundary, drawBoundary } from './boundary'
import { checkOptions, type OptionNames } from './call-options'
import { InvalidArgument, invalid } from './errors'
import { checkHold } from './hold'
import { checkOverflow, type Overflow } from './overflow'
import { checkPartition, type Partition } from './partition'
import { checkPattern, checkReservedName, checkTypeName } from './pattern'
import { type Redelivery, type RedeliveryOptions, redeliveryOf } from './redelivery'
import { isReserved } from './reserved'
import { checkSchema, type InputOf, isSchema, type OutputOf, type StandardSchema } from './schema'

declare const payloadType: unique symbol
declare const responseType: unique symbol

/**
 * The name of an event type, with the type of its payload. Made by `defineEvent`.
 *
 * `Payload` is what handlers receive and `Input` is what `broadcast` takes; they differ only if a schema converts.
 */
export interface EventDefinition<Payload, Input = Payload> {
  readonly kind: 'event'
  /** The name under which its events are sent and matched. */
  readonly name: string
  /** What happens to its events for peers that are behind. Undefined: the endpoint's option `overflow`. */
  readonly overflow?: Overflow | undefined
  /** Payloads are validated against it before they are sent, and when they arrive. */
  readonly schema?: StandardSchema | undefined
  /** Which endpoints its events may reach. Undefined: every endpoint, unless the name has a boundary already. */
  readonly boundary?: Boundary | undefined
  /** What becomes of an event of a queue whose member dies or fails. Undefined: it is reported. */
  readonly redelivery?: Redelivery | undefined
  /** Milliseconds for which an event waits for a queue with a member that may have it. Undefined: it does not. */
  readonly hold?: number | undefined
  /** The key of an event in a queue. Events of one key are handled one after another. Undefined: they have none. */
  readonly partition?: Partition | undefined
  /** Exists only in the types: keeps definitions of different payloads apart. */
  readonly [payloadType]?: { readonly sent: Input; readonly received: Payload } | undefined
}

/**
 * The name of a request type, with the types of its request and response. Made by `defineRequest`.
 *
 * The asker sends `Request` and receives `Response`, the responder receives `ReceivedRequest` and returns `SentResponse`; they differ only
 * if a schema converts.
 */
export interface RequestDefinition<Request, Response, ReceivedRequest = Request, SentResponse = Response> {
  readonly kind: 'request'
  /** The name under which its requests are sent and matched. */
  readonly name: string
  /** Payloads are validated against these before they are sent, and when they arrive. */
  readonly schemas: RequestSchemas
  /** Which endpoints its requests may reach. Undefined: every endpoint, unless the name has a boundary already. */
  readonly boundary?: Boundary | undefined
  /** Exists only in the types. */
  readonly [payloadType]?: { readonly sent: Request; readonly received: ReceivedRequest } | undefined
  readonly [responseType]?: { readonly sent: SentResponse; readonly received: Response } | undefined
}

/** The schemas of a request type. */
export interface RequestSchemas {
  readonly request?: StandardSchema | undefined
  readonly response?: StandardSchema | undefined
}

/** An event type: a definition, or its name as a string, whose payload is then `unknown`. */
export type EventType<Payload = unknown, Input = Payload> = EventDefinition<Payload, Input> | string

/** A request type: a definition, or its name as a string, whose request and response are then `unknown`. */
export type RequestType<Request = unknown, Response = unknown, ReceivedRequest = Request, SentResponse = Response> =
  | RequestDefinition<Request, Response, ReceivedRequest, SentResponse>
  | string

/** The payload that handlers of an event type receive. */
export type PayloadOf<Type extends EventType> = Type extends EventDefinition<infer Payload, infer _> ? Payload : unknown

/** The last arguments of `broadcast` and `request`. A payload that may be `undefined` may be left out. */
export type PayloadAnd<Payload, Options> = undefined extends Payload
  ? [payload?: Payload, options?: Options]
  : [payload: Payload, options?: Options]

/** Options of `defineEvent`. */
export interface EventOptions<Payload> extends DefinitionOptions, RedeliveryOptions {
  /** What happens to its events for peers that are behind. Default: the endpoint's option `overflow`. */
  readonly overflow?: Overflow<Payload> | undefined
  /**
   * Milliseconds, 1 to 2,147,483,647, for which an event waits at its sender while no queue has a member that may have it, as
   * during a restart of all workers. The first queue that gets one takes it. Waiting events are bounded as those of a queue
   * are; one whose time is over is reported as `NoSubscribers`. Default: events don't wait, and nobody gets them.
   */
  readonly hold?: number | undefined
  /**
   * The key of an event, such as its customer: members of a queue handle the events of one key and sender one after another, in
   * the order of their broadcasts, and all by the same member as long as that stays in the queue. Not those with
   * `prefetch: Infinity`. Types with the same keys share their order. Default: events have no key, and go to whoever is free.
   */
  readonly partition?: Partition<Payload> | undefined
}

/** Options of `defineRequest`, and of `defineEvent` too. */
export interface DefinitionOptions {
  /**
   * Which endpoints the type may reach: `'internal'` for the sender only, `{ groups }` for members of one of the groups. It
   * holds for everything of this name in the process, whatever a call passes as `to`. Default: every endpoint.
   *
   * Payloads of an internal type are passed by reference and may be any value. Each counts as 512 bytes in the limits.
   */
  readonly boundary?: Boundary | undefined
}

/**
 * Defines an event type whose payloads are validated by a schema. Define it once, in a module that its senders and
 * receivers import.
 *
 * @param name Tokens joined by dots, without white space, `*` and `>`; at most 255 bytes.
 * @param schema A synchronous schema of any Standard Schema library, or options that contain one. Payloads are validated
 *   where they are sent and where they arrive; handlers receive the schema's output.
 * @throws InvalidArgument if the name, schema or an option is invalid, or the name already has a different boundary
 * @example
 * ```ts
 * import { defineEvent } from 'lahja'
 * import { z } from 'zod'
 *
 * export const OrderPlaced = defineEvent('order.placed', z.object({ id: z.string(), total: z.number() }))
 * ```
 */
export function defineEvent<Schema extends StandardSchema>(
  name: string,
  schema: Schema | (EventOptions<InputOf<Schema>> & { readonly schema: Schema }),
): EventDefinition<OutputOf<Schema>, InputOf<Schema>>
/**
 * Defines an event type. Define it once, in a module that its senders and receivers import.
 *
 * @param name Tokens joined by dots, without white space, `*` and `>`; at most 255 bytes.
 * @param options Overflow policy and boundary. Default: those of the endpoint, and none.
 * @throws InvalidArgument if the name or an option is invalid, or the name already has a different boundary
 * @example
 * ```ts
 * import { defineEvent } from 'lahja'
 *
 * export const OrderPlaced = defineEvent<{ id: string; total: number }>('order.placed')
 * export const ShipMoved = defineEvent<{ id: string; x: number; y: number }>('ship.moved', {
 *   overflow: { latest: ({ id }) => id },
 * })
 * ```
 */
export function defineEvent<Payload = void>(name: string, options?: EventOptions<Payload>): EventDefinition<Payload>
export function defineEvent(name: string, given: unknown = {}): EventDefinition<unknown> {
  const options = isSchema(given) ? { schema: given } : optionsOf('defineEvent', given, EVENT_OPTIONS)
  const type = checkTypeName(name)
  const schema = options.schema === undefined ? undefined : checkSchema(`schema of ${type}`, options.schema)
  const overflow = options.overflow === undefined ? undefined : checkOverflow(`overflow of ${type}`, options.overflow)
  const boundary = options.boundary === undefined ? undefined : drawBoundary(type, options.boundary)
  const redelivery = redeliveryOf(type, options)
  const hold = options.hold === undefined ? undefined : checkHold(`hold of ${type}`, options.hold)
  const { partition: keyOf } = options
  const partition = keyOf === undefined ? undefined : checkPartition(`partition of ${type}`, keyOf)
  return own(Object.freeze({ kind: 'event', name: type, schema, overflow, boundary, redelivery, hold, partition }))
}

/**
 * Defines a request type whose requests and responses are validated by schemas. Define it once, in a module that its
 * askers and responders import.
 *
 * @param name Tokens joined by dots, without white space, `*` and `>`; at most 255 bytes.
 * @param schemas Synchronous schemas of any Standard Schema library, and a boundary if there is one. Payloads are validated
 *   where they are sent and where they arrive; the receiver gets the schema's output.
 * @throws InvalidArgument if the name, a schema or the boundary is invalid, or the name already has a different boundary
 * @example
 * ```ts
 * import { defineRequest } from 'lahja'
 * import { z } from 'zod'
 *
 * export const GetOrder = defineRequest('order.get', {
 *   request: z.object({ id: z.string() }),
 *   response: z.object({ total: z.number() }),
 * })
 * ```
 */
export function defineRequest<Request extends StandardSchema, Response extends StandardSchema>(
  name: string,
  schemas: DefinitionOptions & { readonly request: Request; readonly response: Response },
): RequestDefinition<InputOf<Request>, OutputOf<Response>, OutputOf<Request>, InputOf<Response>>
/**
 * Defines a request type. Define it once, in a module that its askers and responders import.
 *
 * @param name Tokens joined by dots, without white space, `*` and `>`; at most 255 bytes.
 * @param options The boundary. Default: none.
 * @throws InvalidArgument if the name or the boundary is invalid, or the name already has a different boundary
 * @example
 * ```ts
 * import { defineRequest } from 'lahja'
 *
 * export const GetOrder = defineRequest<{ id: string }, { total: number }>('order.get')
 * ```
 */
export function defineRequest<Request = void, Response = void>(
  name: string,
  options?: DefinitionOptions,
): RequestDefinition<Request, Response>
export function defineRequest(name: string, given: unknown = {}): RequestDefinition<unknown, unknown> {
  if (isSchema(given)) {
    throw new InvalidArgument('defineRequest: expected { request, response } with a schema each, got a schema')
  }
  const { request, response, ...options } = optionsOf('defineRequest', given, REQUEST_OPTIONS)
  const type = checkTypeName(name)
  const schemas = {
    request: request === undefined ? undefined : checkSchema(`request schema of ${type}`, request),
    response: response === undefined ? undefined : checkSchema(`response schema of ${type}`, response),
  }
  const boundary = options.boundary === undefined ? undefined : drawBoundary(type, options.boundary)
  return own(Object.freeze({ kind: 'request', name: type, schemas: Object.freeze(schemas), boundary }))
}

/** Definitions that have been checked and can't change. Others are of another copy of this package, or made by hand. */
const checked = new WeakSet<object>()

/** The one that was used last, as a look-up in the set takes a part of the time of a broadcast. */
let last: object = checked

function own<Definition extends object>(definition: Definition): Definition {
  checked.add(definition)
  return definition
}

/** The name of an event type. @throws InvalidArgument */
export function eventNameOf(type: EventType): string {
  return typeof type === 'string' ? checkTypeName(type) : nameIn(type, 'event')
}

/** The name or pattern that a subscription is for. @throws InvalidArgument */
export function patternOf(type: EventType): string {
  return typeof type === 'string' ? checkPattern(type) : eventNameOf(type)
}

/** The name of a request type. @throws InvalidArgument */
export function requestNameOf(type: RequestType): string {
  return typeof type === 'string' ? checkTypeName(type) : nameIn(type, 'request')
}

/** The name of a request type that is asked for, which may be one that endpoints answer themselves. @throws InvalidArgument */
export function askedNameOf(type: RequestType): string {
  return typeof type === 'string' && isReserved(type) ? checkReservedName(type) : requestNameOf(type)
}

/** The definition of a type, if it is given by one. */
export function definitionIn(type: EventType): EventDefinition<unknown> | undefined {
  return typeof type === 'string' ? undefined : type
}

export function schemaOf(type: EventType): StandardSchema | undefined {
  return typeof type === 'string' ? undefined : type.schema
}

export function schemasOf(type: RequestType): RequestSchemas {
  return typeof type === 'string' ? {} : type.schemas
}

const ARTICLE = { event: 'an event', request: 'a request' } as const

/** The name of a definition, of which the rest is checked too. @throws InvalidArgument */
function nameIn<Kind extends 'event' | 'request'>(definition: { kind: Kind; name: string }, kind: Kind): string {
  if ((definition === last || checked.has(definition)) && definition.kind === kind) {
    last = definition
    return definition.name
  }
  const given: object = definitionOf(definition, kind)
  const type = checkTypeName(definition.name)
  if (kind === 'event') checkEvent(type, given)
  else checkRequest(type, given)
  if ('boundary' in given && given.boundary !== undefined) drawBoundary(type, given.boundary)
  return type
}

function checkEvent(type: string, given: { readonly schema?: unknown; readonly overflow?: unknown }): void {
  if (given.schema !== undefined) checkSchema(`schema of ${type}`, given.schema)
  if (given.overflow !== undefined) checkOverflow(`overflow of ${type}`, given.overflow)
}

function checkRequest(type: string, { schemas }: { readonly schemas?: unknown }): void {
  const expected = '{ request, response }, as defineRequest makes it'
  if (typeof schemas !== 'object' || schemas === null) throw invalid(`schemas of request ${type}`, expected, schemas)
  const { request, response }: { readonly request?: unknown; readonly response?: unknown } = schemas
  if (request !== undefined) checkSchema(`request schema of ${type}`, request)
  if (response !== undefined) checkSchema(`response schema of ${type}`, response)
}

function definitionOf<Kind extends 'event' | 'request'>(value: { kind: Kind; name: string }, kind: Kind): object {
  const given: unknown = value
  if (typeof given === 'object' && given !== null && 'kind' in given && given.kind === kind) return given
  const maker = kind === 'event' ? 'defineEvent' : 'defineRequest'
  const other = typeof given === 'object' && given !== null && 'name' in given && 'kind' in given ? given : undefined
  if (other?.kind !== 'event' && other?.kind !== 'request')
    throw invalid(`${kind} type`, `a name, or what ${maker} returns`, given)
  const calls = other.kind === 'event' ? 'broadcast, subscribe, stream or waitFor' : 'request, requestAll or respond'
  throw new InvalidArgument(`${kind} type: '${other.name}' is defined as ${ARTICLE[other.kind]}; use ${calls} with it`)
}

const EVENT_OPTIONS = {
  overflow: true,
  boundary: true,
  schema: true,
  hold: true,
  partition: true,
  redeliver: true,
  redeliverOnError: true,
  redeliverDelay: true,
  deadLetter: true,
} as const
const REQUEST_OPTIONS = { boundary: true, request: true, response: true } as const

function optionsOf<Options>(
  call: string,
  given: unknown,
  names: OptionNames<Options>,
): Readonly<Record<string, unknown>> {
  if (typeof given !== 'object' || given === null) throw invalid('definition', 'options or a schema', given)
  checkOptions(call, given, names)
  return { ...given }
}
