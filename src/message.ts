import { describe, ProtocolViolation, type Violation } from './errors'

/** What an endpoint says of itself before anything else. */
export interface Hello {
  readonly kind: 'hello'
  /** The protocol versions it speaks, the oldest and the newest. */
  readonly versions: readonly [oldest: number, newest: number]
  readonly name: string
  readonly id: string
  readonly groups: readonly string[]
  readonly pid: number
  /** Bytes of body it takes in a frame. */
  readonly frameLimit: number
}

/** Why a link is ended by the one that says so: it leaves, it will not have this link, or the peer broke the rules. */
export type GoodbyeReason = 'left' | Refusal | Violation

/** Why a link was not taken up. Each but the first two invites another dial. */
export type Refusal = 'name-in-use' | 'name-claimed' | 'name-conceded' | 'duplicate' | 'closing'

/** The messages of the protocol; docs/protocol.md has every byte of them. */
export type Message =
  | Hello
  | { readonly kind: 'subscribe'; readonly sequence: number; readonly types: readonly string[] }
  | { readonly kind: 'unsubscribe'; readonly sequence: number; readonly types: readonly string[] }
  | { readonly kind: 'acknowledge'; readonly sequence: number }
  | { readonly kind: 'ready' }
  | { readonly kind: 'event'; readonly type: string; readonly payload: unknown }
  | { readonly kind: 'gap'; readonly count: number }
  | { readonly kind: 'ping' }
  | { readonly kind: 'pong' }
  | { readonly kind: 'goodbye'; readonly reason: string; readonly text: string }

export type MessageOf<Kind extends Message['kind']> = Extract<Message, { kind: Kind }>

/** The number that stands for each kind as the first element of a body. */
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
} as const satisfies Record<Message['kind'], number>

/** The elements of a message's body. */
export function toElements(message: Message): unknown[] {
  const code = KIND_CODES[message.kind]
  switch (message.kind) {
    case 'hello': {
      const { versions, name, id, groups, pid, frameLimit } = message
      return [code, { versions, name, id, groups, pid, frameLimit }]
    }
    case 'subscribe':
    case 'unsubscribe':
      return [code, message.sequence, message.types.map((type) => ({ type }))]
    case 'acknowledge':
      return [code, message.sequence]
    case 'event':
      return message.payload === undefined ? [code, message.type] : [code, message.type, message.payload]
    case 'gap':
      return [code, message.count]
    case 'goodbye':
      return [code, message.reason, message.text]
    case 'ready':
    case 'ping':
    case 'pong':
      return [code]
  }
}

/**
 * The message that a decoded body stands for. Elements and fields that this version doesn't know are passed over.
 *
 * @throws ProtocolViolation for anything else
 */
export function fromElements(body: unknown): Message {
  const elements = array(body, 'body')
  const [code, first, second] = elements
  switch (integer(code)) {
    case KIND_CODES.hello:
      return parseHello(map(first, 'hello'))
    case KIND_CODES.ready:
      return { kind: 'ready' }
    case KIND_CODES.subscribe:
      return { kind: 'subscribe', sequence: count(first, 'sequence'), types: parseInterest(second) }
    case KIND_CODES.unsubscribe:
      return { kind: 'unsubscribe', sequence: count(first, 'sequence'), types: parseInterest(second) }
    case KIND_CODES.acknowledge:
      return { kind: 'acknowledge', sequence: count(first, 'sequence') }
    case KIND_CODES.event:
      return { kind: 'event', type: text(first, 'type'), payload: second }
    case KIND_CODES.gap:
      return { kind: 'gap', count: count(first, 'count') }
    case KIND_CODES.ping:
      return { kind: 'ping' }
    case KIND_CODES.pong:
      return { kind: 'pong' }
    case KIND_CODES.goodbye:
      return { kind: 'goodbye', reason: text(first, 'reason'), text: text(second, 'text') }
    default:
      throw new ProtocolViolation('malformed', `kind: expected 0 to ${KIND_CODES.goodbye}, got ${describe(code)}`)
  }
}

function parseHello(fields: ReadonlyMap<string, unknown>): Hello {
  const [oldest, newest] = array(fields.get('versions'), 'hello.versions')
  return {
    kind: 'hello',
    versions: [count(oldest, 'hello.versions[0]'), count(newest, 'hello.versions[1]')],
    name: text(fields.get('name'), 'hello.name'),
    id: text(fields.get('id'), 'hello.id'),
    groups: array(fields.get('groups'), 'hello.groups').map((group) => text(group, 'hello.groups[]')),
    pid: count(fields.get('pid'), 'hello.pid'),
    frameLimit: count(fields.get('frameLimit'), 'hello.frameLimit'),
  }
}

function parseInterest(value: unknown): string[] {
  return array(value, 'interest').map((entry) => text(map(entry, 'interest[]').get('type'), 'interest[].type'))
}

function array(value: unknown, what: string): readonly unknown[] {
  if (Array.isArray(value)) return value
  throw malformed(what, 'an array', value)
}

function map(value: unknown, what: string): ReadonlyMap<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return new Map(Object.entries(value))
  throw malformed(what, 'a map', value)
}

function text(value: unknown, what: string): string {
  if (typeof value === 'string') return value
  throw malformed(what, 'a string', value)
}

function count(value: unknown, what: string): number {
  const number = integer(value)
  if (typeof number === 'number' && Number.isSafeInteger(number) && number >= 0) return number
  throw malformed(what, 'a whole number', value)
}

/** Encoders that write every integer with 64 bits are decoded to bigints. */
function integer(value: unknown): unknown {
  return typeof value === 'bigint' ? Number(value) : value
}

function malformed(what: string, expected: string, value: unknown): ProtocolViolation {
  return new ProtocolViolation('malformed', `${what}: expected ${expected}, got ${describe(value)}`)
}
