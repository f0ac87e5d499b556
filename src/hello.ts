import { array, bytes, count, map, optional, patterns, text, texts } from './field'

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
  /** Bytes of events that it takes ahead of the credit it gives. */
  readonly window: number
  /** Requests of one peer that it handles at a time. */
  readonly requestLimit: number
  /** The patterns of types it lets in; all, where it doesn't say. */
  readonly accepts?: readonly string[] | undefined
  /** Random bytes, from an endpoint that has a secret: what the peer's proof has to be fresh for. */
  readonly nonce?: Uint8Array | undefined
}

/** @throws ProtocolViolation */
export function parseHello(value: unknown): Hello {
  const fields = map(value, 'hello')
  const [oldest, newest] = array(fields.get('versions'), 'hello.versions')
  return {
    kind: 'hello',
    versions: [count(oldest, 'hello.versions[0]'), count(newest, 'hello.versions[1]')],
    name: text(fields.get('name'), 'hello.name'),
    id: text(fields.get('id'), 'hello.id'),
    groups: texts(fields.get('groups'), 'hello.groups'),
    pid: count(fields.get('pid'), 'hello.pid'),
    frameLimit: count(fields.get('frameLimit'), 'hello.frameLimit'),
    window: count(fields.get('window'), 'hello.window'),
    requestLimit: count(fields.get('requestLimit'), 'hello.requestLimit'),
    accepts: optional(fields.get('accepts'), 'hello.accepts', patterns),
    nonce: optional(fields.get('nonce'), 'hello.nonce', bytes),
  }
}
