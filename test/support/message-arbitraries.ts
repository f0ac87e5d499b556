import fc from 'fast-check'
import type { Message } from '../../src/wire/message'

const count = fc.nat({ max: Number.MAX_SAFE_INTEGER })
const text = fc.string({ unit: 'grapheme', maxLength: 100 })
/** Names of endpoints, groups and queues. */
const name = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/)
const names = fc.array(text, { maxLength: 20 })
const token = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
  .filter((text) => !/[\s.*>\p{Cc}\p{Cs}\ufffd]/u.test(text))
const tokens = (last: fc.Arbitrary<string>, others = token) => {
  const joined = fc.tuple(fc.array(others, { maxLength: 4 }), last).map(([before, end]) => [...before, end].join('.'))
  return joined.filter((name) => Buffer.byteLength(name) <= 255)
}
/** Types of events and requests. */
export const type = tokens(token)
const pattern = tokens(fc.oneof(token, fc.constantFrom('*', '>')), fc.oneof(token, fc.constant('*')))

/** Values that every msgpack library preserves. Numbers exclude -0, which the wire doesn't distinguish from 0. */
const leaf = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.integer(),
  fc.double({ noNaN: true }).map((number) => (number === 0 ? 0 : number)),
  fc.string({ unit: 'grapheme', maxLength: 300 }),
  fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
)

/** An integer over 64 bits, which few msgpack libraries write. */
export const bigint = fc
  .tuple(fc.bigInt({ min: 2n ** 64n, max: 2n ** 1000n }), fc.constantFrom(1n, -1n))
  .map(([value, sign]) => value * sign)

/** msgpackr renames this one key, so that no payload can reach a prototype. */
const key = fc.string({ unit: 'grapheme', maxLength: 40 }).filter((text) => text !== '__proto__')

export const payload = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthIdentifier: 'payload' },
    leaf,
    fc.array(tie('value'), { maxLength: 20 }),
    fc.dictionary(key, tie('value'), { maxKeys: 20, noNullPrototype: true }),
  ),
})).value

const optional = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: undefined })
const bytes = fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes))
const whatever = optional(payload)
const flag = optional(fc.boolean())
const interests = fc.array(
  fc.record({
    type: pattern,
    from: optional(fc.oneof(names, fc.record({ group: text }))),
    queue: optional(name),
    responds: optional(fc.constant(true)),
  }),
  { maxLength: 20 },
)
const runs = fc.array(fc.tuple(count, count), { maxLength: 5 }).map((pairs) => pairs.flat())
const assignment = { queue: name, type, isFixed: fc.boolean(), payload: whatever }

const delivery = {
  kind: fc.constant('give' as const),
  member: count,
  number: count,
  type,
  isFixed: fc.boolean(),
  payload: whatever,
}
const progress = {
  kind: fc.constant('progress' as const),
  member: count,
  capacity: count,
  begun: count,
  handled: runs,
  returned: runs,
}

/** Few, as together they may have 4,096 bytes. */
const headers = fc.dictionary(
  fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,63}$/),
  fc.string({ unit: 'grapheme', maxLength: 60 }),
  { minKeys: 1, maxKeys: 4, noNullPrototype: true },
)

/** These messages, with headers and without. */
const headed = <Headless extends object>(message: fc.Arbitrary<Headless>) =>
  fc
    .tuple(message, optional(headers))
    .map(([message, headers]) => (headers === undefined ? message : { ...message, headers }))

/** Messages of each kind. */
export const messages: { readonly [Kind in Message['kind']]: fc.Arbitrary<Message> } = {
  hello: fc.record({
    kind: fc.constant('hello'),
    versions: fc.tuple(count, count),
    name: text,
    id: text,
    groups: names,
    pid: count,
    frameLimit: count,
    window: count,
    requestLimit: count,
    accepts: optional(fc.array(pattern, { maxLength: 20 })),
    nonce: optional(bytes),
    bigints: optional(fc.boolean()),
    records: optional(fc.boolean()),
  }),
  ready: fc.constant({ kind: 'ready' }),
  subscribe: fc.record({ kind: fc.constant('subscribe'), sequence: count, interests }),
  unsubscribe: fc.record({ kind: fc.constant('unsubscribe'), sequence: count, interests, isLast: flag }),
  acknowledge: fc.record({ kind: fc.constant('acknowledge'), sequence: count, isComplete: flag }),
  event: headed(fc.record({ kind: fc.constant('event'), type, payload: whatever })),
  gap: fc.record({ kind: fc.constant('gap'), count }),
  ping: fc.constant({ kind: 'ping' }),
  pong: fc.constant({ kind: 'pong' }),
  goodbye: fc.record({ kind: fc.constant('goodbye'), reason: text, text, proof: optional(bytes) }),
  proof: fc.record({ kind: fc.constant('proof'), proof: bytes }),
  assign: headed(fc.record({ kind: fc.constant('assign'), ...assignment })),
  settle: fc.record({ kind: fc.constant('settle'), count }),
  give: headed(
    fc.oneof(fc.record(delivery), fc.record({ ...delivery, redelivered: fc.nat().map((number) => number + 1) })),
  ),
  recall: fc.record({ kind: fc.constant('recall' as const), member: fc.nat(), through: fc.nat() }),
  shape: fc.record({ kind: fc.constant('shape' as const), keys: names }),
  progress: fc.oneof(fc.record(progress), fc.record({ ...progress, failed: runs })),
  return: headed(fc.record({ kind: fc.constant('return'), ...assignment })),
  request: headed(fc.record({ kind: fc.constant('request'), id: count, type, payload: whatever })),
  response: fc.record({ kind: fc.constant('response'), id: count, payload: whatever }),
  failure: fc.record({
    kind: fc.constant('failure'),
    id: count,
    error: fc.record({ name: text, message: text, code: optional(text), stack: optional(text) }),
  }),
  decline: fc.record({ kind: fc.constant('decline'), id: count }),
  cancel: fc.record({ kind: fc.constant('cancel'), id: count }),
  credit: fc.record({ kind: fc.constant('credit'), bytes: count, events: count }),
}
