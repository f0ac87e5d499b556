import type { AudienceList } from '../model/audience'
import { describe, ProtocolViolation, type RemoteFailure, type ViolationReason } from '../model/errors'
import type { EventHeaders } from '../model/event'
import { NO_HEADERS } from '../model/headers'
import { type Interest, MAX_INTEREST_BYTES, nameBytesOf } from '../model/interest'
import {
  asNumber,
  parseArray,
  parseBoolean,
  parseBytes,
  parseCount,
  parseHeaders,
  parseList,
  parseMap,
  parseName,
  parseOptional,
  parsePattern,
  parseString,
  parseTypeName,
} from './field-parsers'
import type { RunLengths } from './runs'
import type { ShapeKeys } from './shape-limits'

/** Why the sender of a goodbye ends the link: it leaves, it refuses the link, or the peer broke the protocol. */
export type GoodbyeReason = 'left' | 'overflow' | 'unauthenticated' | RefusalReason | ViolationReason

/** Why a link was refused. After `duplicate` and `closing`, the peer dials again. */
export type RefusalReason = 'name-in-use' | 'name-claimed' | 'name-conceded' | 'duplicate' | 'closing'

/** The messages of the protocol; docs/protocol.md has every byte of them. */
export type Message =
  | Hello
  | { readonly kind: 'subscribe'; readonly sequence: number; readonly interests: readonly Interest[] }
  | {
      readonly kind: 'unsubscribe'
      readonly sequence: number
      readonly interests: readonly Interest[]
      /**
       * The sender leaves: false in the changes before the last one, true in that. Then nothing is wanted any more, and it
       * waits for what is on its way.
       */
      readonly isLast?: boolean | undefined
    }
  | {
      readonly kind: 'acknowledge'
      readonly sequence: number
      /** Answers the last `unsubscribe`: whether all events are sent. If not, another acknowledgement follows them. */
      readonly isComplete?: boolean | undefined
    }
  | { readonly kind: 'ready' }
  | ({ readonly kind: 'event'; readonly type: string; readonly payload: unknown } & Headed)
  | { readonly kind: 'gap'; readonly count: number }
  /** The keys of the sender's next shape, for the records in its events. */
  | { readonly kind: 'shape'; readonly keys: ShapeKeys }
  /** This many bytes and events have been handled; as many more may be sent. */
  | { readonly kind: 'credit'; readonly bytes: number; readonly events: number }
  | { readonly kind: 'ping' }
  | { readonly kind: 'pong' }
  | Goodbye
  /** Proves that the sender knows the secret. */
  | { readonly kind: 'proof'; readonly proof: Uint8Array }
  | ChannelMessage

/** What may carry headers after its payload. Undefined: none. */
export interface Headed {
  readonly headers?: EventHeaders | undefined
}

/** Left out where there are none. */
export function headed(headers: EventHeaders): Headed {
  return headers === NO_HEADERS ? {} : { headers }
}

/** The first message of an endpoint: who it is, and its limits. */
export interface Hello {
  readonly kind: 'hello'
  /** The oldest and the newest protocol version that it speaks. */
  readonly versions: readonly [oldest: number, newest: number]
  readonly name: string
  readonly id: string
  readonly groups: readonly string[]
  readonly pid: number
  /** Largest body of a frame that it accepts, in bytes. */
  readonly frameLimit: number
  /** Bytes of events that may be sent to it ahead of credit. */
  readonly window: number
  /** Number of requests that it handles concurrently for one peer. */
  readonly requestLimit: number
  /** Patterns of the types that it lets in. Undefined: all. */
  readonly accepts?: readonly string[] | undefined
  /** Random bytes that the peer's proof must include. Only from an endpoint with a secret. */
  readonly nonce?: Uint8Array | undefined
  /** Whether it takes integers over 64 bits in payloads. */
  readonly bigints?: boolean | undefined
  /** Whether it takes records in payloads, and the shapes that they need. */
  readonly records?: boolean | undefined
}

/** The last message of an endpoint. */
export interface Goodbye {
  readonly kind: 'goodbye'
  readonly reason: string
  readonly text: string
  /** Proves that a sender which refuses the link knows the secret, so that its reason counts. */
  readonly proof?: Uint8Array | undefined
}

/** The messages between subscriptions and requests of two endpoints, or of one endpoint with itself. */
export type ChannelMessage =
  | Assignment
  /** This many assignments have been handled. */
  | { readonly kind: 'settle'; readonly count: number }
  /** A queue event that its receiver has not begun: the sender gives it to another member. */
  | (Omit<Assignment, 'kind'> & { readonly kind: 'return' })
  | ({ readonly kind: 'request'; readonly id: number; readonly type: string; readonly payload: unknown } & Headed)
  | { readonly kind: 'response'; readonly id: number; readonly payload: unknown }
  | { readonly kind: 'failure'; readonly id: number; readonly error: RemoteFailure }
  /** The request has not been and will not be handled. */
  | { readonly kind: 'decline'; readonly id: number }
  /** The response is no longer needed. */
  | { readonly kind: 'cancel'; readonly id: number }
  | Delivery
  | Progress
  | Recall

/** An event for one queue member. */
export interface Assignment extends Headed {
  readonly kind: 'assign'
  readonly queue: string
  readonly type: string
  /** Whether its receiver must not return it. */
  readonly isFixed: boolean
  readonly payload: unknown
}

/** An event for a pull member of a queue. */
export interface Delivery extends Headed {
  readonly kind: 'give'
  readonly member: number
  /** Counts the events that this member has been given on this link, from 1 on. */
  readonly number: number
  readonly type: string
  /** Whether no other member may have it. */
  readonly isFixed: boolean
  readonly payload: unknown
  /** How often it has been given before to members that died or failed. Undefined for 0. */
  readonly redelivered?: number | undefined
}

/** What has become of the events that a member was given. */
export interface Progress {
  readonly kind: 'progress'
  readonly member: number
  /** How many events it takes beyond those that are handled or returned. */
  readonly capacity: number
  /** All up to this number have begun, but for those that it has returned. */
  readonly begun: number
  /** Numbers of the events that have been handled since the last message. */
  readonly handled: RunLengths
  /** Numbers of those that have not begun, and never will here. */
  readonly returned: RunLengths
  /** Numbers of those whose handler has failed, if any has. They are not among the handled ones. */
  readonly failed?: RunLengths | undefined
}

/** Asks a member for the events back that it has not begun. It gives them back with `progress`. */
export interface Recall {
  readonly kind: 'recall'
  readonly member: number
  /** The number of the last one. Those that are still on their way are meant too. */
  readonly through: number
}

export type MessageOf<Kind extends Message['kind']> = Extract<Message, { kind: Kind }>

/** The number of each kind, which is the first element of a body. */
export const KIND_CODES = {
  hello: 0,
  ready: 1,
  subscribe: 2,
  unsubscribe: 3,
  acknowledge: 4,
  event: 5,
  gap: 6,
  ping: 7,
  pong: 8,
  goodbye: 9,
  assign: 10,
  settle: 11,
  return: 12,
  request: 13,
  response: 14,
  failure: 15,
  decline: 16,
  cancel: 17,
  credit: 18,
  proof: 19,
  give: 20,
  progress: 21,
  recall: 22,
  shape: 23,
} as const satisfies Record<Message['kind'], number>

const isKind = (name: string): name is Message['kind'] => name in KIND_CODES

const KINDS = new Map<unknown, Message['kind']>(
  Object.keys(KIND_CODES)
    .filter(isKind)
    .map((kind) => [KIND_CODES[kind], kind]),
)

export function isChannelMessage(message: Message): message is ChannelMessage {
  const code = KIND_CODES[message.kind]
  return (
    (code >= KIND_CODES.assign && code <= KIND_CODES.cancel) || (code >= KIND_CODES.give && code <= KIND_CODES.recall)
  )
}

/**
 * Whether it carries a payload, and so may be large, but is no event; or comes behind what does, as the last change of an
 * endpoint that leaves comes behind the events that it returns.
 */
export function isBulk(message: Message): boolean {
  const { kind } = message
  if (kind === 'unsubscribe') return message.isLast === true
  return kind === 'request' || kind === 'response' || kind === 'failure' || kind === 'return' || kind === 'give'
}

/** The elements of a message's body. The last one is left out if it is an undefined payload. */
export function toElements(message: Message): unknown[] {
  const code = KIND_CODES[message.kind]
  switch (message.kind) {
    case 'hello': {
      const { kind: _, ...fields } = message
      return [code, definedFields(fields)]
    }
    case 'subscribe':
      return [code, message.sequence, message.interests.map(interestFields)]
    case 'unsubscribe':
      return withFlag([code, message.sequence, message.interests.map(interestFields)], message.isLast)
    case 'acknowledge':
      return withFlag([code, message.sequence], message.isComplete)
    case 'event':
      return withPayload([code, message.type], message)
    case 'gap':
    case 'settle':
      return [code, message.count]
    case 'credit':
      return [code, message.bytes, message.events]
    case 'goodbye':
      return [code, message.reason, message.text, ...(message.proof ? [message.proof] : [])]
    case 'proof':
      return [code, message.proof]
    case 'assign':
    case 'return':
      return withPayload([code, message.queue, message.type, message.isFixed], message)
    case 'give':
      return deliveryElements(message)
    case 'progress': {
      const { member, capacity, begun, handled, returned, failed } = message
      return [code, member, capacity, begun, handled, returned, ...(failed ? [failed] : [])]
    }
    case 'recall':
      return [code, message.member, message.through]
    case 'shape':
      return [code, message.keys]
    // Not with `withPayload`: an array that grows takes three times the memory.
    case 'request': {
      const { id, type, payload, headers } = message
      if (headers !== undefined) return [code, id, type, payload, headers]
      return payload === undefined ? [code, id, type] : [code, id, type, payload]
    }
    case 'response': {
      const { id, payload } = message
      return payload === undefined ? [code, id] : [code, id, payload]
    }
    case 'failure':
      return [code, message.id, definedFields({ ...message.error })]
    case 'decline':
    case 'cancel':
      return [code, message.id]
    case 'ready':
    case 'ping':
    case 'pong':
      return [code]
  }
}

function interestFields({ type, from, queue, member, capacity, responds }: Interest): object {
  return definedFields({ type, from, queue, member, capacity, responds: responds || undefined })
}

/** An undefined payload is left out only if it is the last element. */
function deliveryElements({ member, number, type, isFixed, payload, redelivered, headers }: Delivery): unknown[] {
  const elements = [KIND_CODES.give, member, number, type, isFixed]
  if (headers !== undefined) return [...elements, payload, redelivered ?? 0, headers]
  return redelivered ? [...elements, payload, redelivered] : withPayload(elements, { payload })
}

function withPayload(elements: unknown[], { payload, headers }: { readonly payload: unknown } & Headed): unknown[] {
  if (payload !== undefined || headers !== undefined) elements.push(payload)
  if (headers !== undefined) elements.push(headers)
  return elements
}

function withFlag(elements: unknown[], flag: boolean | undefined): unknown[] {
  return flag === undefined ? elements : [...elements, flag]
}

function definedFields(fields: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}

/**
 * The message of a decoded body. Elements and fields that this version doesn't know are ignored.
 *
 * @throws ProtocolViolation if it is malformed
 */
export function fromElements(body: unknown): Message {
  const [code, first, second, third, fourth, fifth, sixth, seventh] = parseArray(body, 'body')
  const kind = parseKind(code)
  switch (kind) {
    case 'hello':
      return parseHello(first)
    case 'subscribe':
      return { kind, ...parseChange(first, second) }
    case 'unsubscribe':
      return { kind, ...parseChange(first, second), isLast: parseOptional(third, 'last', parseBoolean) }
    case 'acknowledge': {
      const isComplete = parseOptional(second, 'complete', parseBoolean)
      return { kind, sequence: parseCount(first, 'sequence'), isComplete }
    }
    case 'event':
      return { kind, type: parseTypeName(first, 'type'), payload: second, ...parseHeaded(third) }
    case 'gap':
    case 'settle':
      return { kind, count: parseCount(first, 'count') }
    case 'credit':
      return { kind, bytes: parseCount(first, 'bytes'), events: parseCount(second, 'events') }
    case 'goodbye':
      return parseGoodbye(first, second, third)
    case 'proof':
      return { kind, proof: parseBytes(first, 'proof') }
    case 'assign':
    case 'return':
      return { kind, ...parseAssignment(first, second, third), payload: fourth, ...parseHeaded(fifth) }
    case 'give': {
      const delivery = parseDelivery(first, second, third, fourth)
      return { kind, ...delivery, payload: fifth, ...parseRedelivered(sixth), ...parseHeaded(seventh) }
    }
    case 'progress':
      return {
        kind,
        member: parseCount(first, 'member'),
        capacity: parseCount(second, 'capacity'),
        begun: parseCount(third, 'begun'),
        handled: parseRunLengths(fourth, 'handled'),
        returned: parseRunLengths(fifth, 'returned'),
        ...(sixth !== undefined && { failed: parseRunLengths(sixth, 'failed') }),
      }
    case 'recall':
      return { kind, member: parseCount(first, 'member'), through: parseCount(second, 'through') }
    case 'shape':
      return { kind, keys: parseList(first, 'keys', parseString) }
    case 'request':
      return {
        kind,
        id: parseCount(first, 'id'),
        type: parseTypeName(second, 'type'),
        payload: third,
        ...parseHeaded(fourth),
      }
    case 'response':
      return { kind, id: parseCount(first, 'id'), payload: second }
    case 'failure':
      return { kind, id: parseCount(first, 'id'), error: parseFailure(parseMap(second, 'failure')) }
    case 'decline':
    case 'cancel':
      return { kind, id: parseCount(first, 'id') }
    case 'ready':
    case 'ping':
    case 'pong':
      return { kind }
  }
}

/** An empty map says nothing: there is none without headers. */
function parseHeaded(value: unknown): Headed {
  if (value === undefined) return {}
  return headed(parseHeaders(value, 'headers'))
}

function parseRedelivered(value: unknown): Pick<Delivery, 'redelivered'> {
  const redelivered = value === undefined ? 0 : parseCount(value, 'redelivered')
  return redelivered > 0 ? { redelivered } : {}
}

function parseKind(code: unknown): Message['kind'] {
  const kind = KINDS.get(asNumber(code))
  if (kind !== undefined) return kind
  throw new ProtocolViolation('malformed', `kind: expected 0 to ${KIND_CODES.shape}, got ${describe(asNumber(code))}`)
}

function parseGoodbye(reason: unknown, text: unknown, proof: unknown): Goodbye {
  return {
    kind: 'goodbye',
    reason: parseString(reason, 'reason'),
    text: parseString(text, 'text'),
    proof: parseOptional(proof, 'proof', parseBytes),
  }
}

function parseChange(sequence: unknown, interests: unknown) {
  return { sequence: parseCount(sequence, 'sequence'), interests: parseList(interests, 'interest', parseInterest) }
}

function parseInterest(value: unknown): Interest {
  const fields = parseMap(value, 'interest[]')
  const interest = {
    type: parsePattern(fields.get('type'), 'interest[].type'),
    from: parseOptional(fields.get('from'), 'interest[].from', parseAudience),
    queue: parseOptional(fields.get('queue'), 'interest[].queue', parseName),
    ...parseMember(fields),
    // False means the same as undefined.
    responds: parseOptional(fields.get('responds'), 'interest[].responds', parseBoolean) || undefined,
  }
  const bytes = nameBytesOf(interest)
  if (bytes <= MAX_INTEREST_BYTES) return interest
  throw new ProtocolViolation('malformed', `interest[]: expected at most ${MAX_INTEREST_BYTES} bytes, got ${bytes}`)
}

/** Those who don't know one of the two fields, or leave one out, are members to which events are assigned. */
function parseMember(fields: ReadonlyMap<string, unknown>): Pick<Interest, 'member' | 'capacity'> {
  const member = parseOptional(fields.get('member'), 'interest[].member', parseCount)
  const capacity = parseOptional(fields.get('capacity'), 'interest[].capacity', parseCount)
  return fields.has('queue') && member !== undefined && capacity !== undefined ? { member, capacity } : {}
}

function parseDelivery(member: unknown, number: unknown, type: unknown, isFixed: unknown) {
  return {
    member: parseCount(member, 'member'),
    number: parseCount(number, 'number'),
    type: parseTypeName(type, 'type'),
    isFixed: parseBoolean(isFixed, 'fixed'),
  }
}

function parseRunLengths(value: unknown, field: string): RunLengths {
  const lengths = parseList(value, field, parseCount)
  if (lengths.length % 2 === 0) return lengths
  throw new ProtocolViolation('malformed', `${field}: expected pairs of numbers, got ${lengths.length} numbers`)
}

function parseAssignment(queue: unknown, type: unknown, isFixed: unknown) {
  return {
    queue: parseName(queue, 'queue'),
    type: parseTypeName(type, 'type'),
    isFixed: parseBoolean(isFixed, 'fixed'),
  }
}

function parseFailure(fields: ReadonlyMap<string, unknown>): RemoteFailure {
  return {
    name: parseString(fields.get('name'), 'failure.name'),
    message: parseString(fields.get('message'), 'failure.message'),
    code: parseOptional(fields.get('code'), 'failure.code', parseString),
    stack: parseOptional(fields.get('stack'), 'failure.stack', parseString),
  }
}

function parseAudience(value: unknown, what: string): AudienceList {
  if (Array.isArray(value)) return parseList(value, what, parseString)
  return { group: parseString(parseMap(value, what).get('group'), `${what}.group`) }
}

function parseHello(value: unknown): Hello {
  const fields = parseMap(value, 'hello')
  const [oldest, newest] = parseArray(fields.get('versions'), 'hello.versions')
  return {
    kind: 'hello',
    versions: [parseCount(oldest, 'hello.versions[0]'), parseCount(newest, 'hello.versions[1]')],
    name: parseString(fields.get('name'), 'hello.name'),
    id: parseString(fields.get('id'), 'hello.id'),
    groups: parseList(fields.get('groups'), 'hello.groups', parseString),
    pid: parseCount(fields.get('pid'), 'hello.pid'),
    frameLimit: parseCount(fields.get('frameLimit'), 'hello.frameLimit'),
    window: parseCount(fields.get('window'), 'hello.window'),
    requestLimit: parseCount(fields.get('requestLimit'), 'hello.requestLimit'),
    accepts: parseOptional(fields.get('accepts'), 'hello.accepts', (value, field) =>
      parseList(value, field, parsePattern),
    ),
    nonce: parseOptional(fields.get('nonce'), 'hello.nonce', parseBytes),
    bigints: parseOptional(fields.get('bigints'), 'hello.bigints', parseBoolean),
    records: parseOptional(fields.get('records'), 'hello.records', parseBoolean),
  }
}
