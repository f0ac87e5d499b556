import type {
  BroadcastOptions,
  Endpoint,
  EventDefinition,
  EventHeaders,
  LahjaError,
  NoSubscribers,
  OutboxOverflow,
  SubscribeOptions,
  Subscription,
} from '../../src'
import { untilReady } from '../support/until-ready'
import type { RecordFields } from './record'
import { digestOf, headersFor, numberIn, type TestPayload, unwrap, type Wrapping, wrap } from './test-payload'

/** Milliseconds. */
const CLOSING = 5000

/** The log and the timers of a member. */
export interface Stage {
  readonly log: (label: string, said: RecordFields) => void
  readonly sleep: (milliseconds: number) => Promise<void>
}

/** How long the next handler takes: milliseconds, or `at-once`. */
export type Manner = () => number | 'at-once'

export interface Dispatch extends Pick<BroadcastOptions, 'to' | 'except' | 'internal'> {
  readonly filler: Uint8Array
  readonly wrapping: Wrapping
}

/** An endpoint that records everything it does and sees. */
export class Member {
  readonly label: string
  readonly name: string
  readonly #stage: Stage
  readonly #manner: Manner
  #endpoint: Endpoint | undefined
  #state: 'starting' | 'up' | 'closing' | 'over' = 'starting'
  readonly #subscriptions = new Map<number, { readonly end: () => void }>()
  readonly #responders = new Map<string, Subscription>()
  #lastSubscription = 0
  #lastEvent = 0
  #lastRequest = 0

  constructor(label: string, name: string, stage: Stage, manner: Manner) {
    this.label = label
    this.name = name
    this.#stage = stage
    this.#manner = manner
  }

  /** Whether it is started and not closing. */
  get isUp(): boolean {
    return this.#state === 'up'
  }

  get isOver(): boolean {
    return this.#state === 'over'
  }

  /** Its id, once it is started. */
  get id(): string | undefined {
    return this.#endpoint?.id
  }

  get subscriptions(): number[] {
    return [...this.#subscriptions.keys()]
  }

  get responds(): string[] {
    return [...this.#responders.keys()]
  }

  async start(start: () => Promise<Endpoint>): Promise<void> {
    try {
      const endpoint = await start()
      this.#endpoint = endpoint
      this.#state = 'up'
      this.#log({ kind: 'started', id: endpoint.id })
      this.#observe(endpoint)
    } catch (error) {
      this.#state = 'over'
      this.#log({ kind: 'refused', code: codeOf(error) })
    }
  }

  /** It was killed, and records nothing from here on. */
  die(): void {
    this.#state = 'over'
    this.#log({ kind: 'killed' })
  }

  subscribe(type: string, options: Pick<SubscribeOptions, 'from' | 'queue' | 'concurrency' | 'prefetch'>): void {
    const { from, queue, prefetch = 'auto' } = options
    const isKept = queue !== undefined && prefetch !== Number.POSITIVE_INFINITY
    const number = ++this.#lastSubscription
    this.#log({
      kind: 'subscribed',
      subscription: number,
      type,
      from: listOf(from),
      queue,
      ...(isKept && { prefetch }),
    })
    const subscription = this.#up.subscribe(type, (event) => this.#receive(number, event), options)
    this.#keep(number, subscription, () => subscription.unsubscribe())
  }

  /** The same with a `for await` loop. */
  stream(type: string): void {
    const number = ++this.#lastSubscription
    this.#log({ kind: 'subscribed', subscription: number, type, isStream: true })
    const stream = this.#up.stream(type)
    this.#keep(number, stream, () => void stream.return())
    const read = async () => {
      for await (const event of stream) {
        await this.#receive(number, event)
      }
    }
    void read()
  }

  unsubscribe(number: number): void {
    const subscription = this.#subscriptions.get(number)
    this.#subscriptions.delete(number)
    subscription?.end()
    this.#log({ kind: 'unsubscribed', subscription: number })
  }

  /** Resolves when the broadcast has settled. */
  async broadcast(type: string | EventDefinition<unknown>, dispatch: Dispatch, nowait = false): Promise<void> {
    const { filler, wrapping, to, except, internal } = dispatch
    const event = ++this.#lastEvent
    const payload: TestPayload = { sender: this.label, event, filler }
    const headers = headersFor(event)
    const name = typeof type === 'string' ? type : type.name
    this.#log({
      kind: 'sent',
      event,
      type: name,
      digest: digestOf(payload),
      headers: numberIn(headers),
      size: filler.length,
      to: listOf(to),
      except: listOf(except),
      internal,
      isReplaceable: (typeof type === 'string' ? undefined : type.overflow) === 'latest' || undefined,
      isRedelivered: (typeof type !== 'string' && type.redelivery !== undefined) || undefined,
      partition:
        typeof type === 'string' || !type.partition ? undefined : String(type.partition(wrap(payload, wrapping))),
      isHeld: (typeof type !== 'string' && type.hold !== undefined) || undefined,
    })
    try {
      if (nowait) this.#up.broadcastNowait(type, wrap(payload, wrapping), { to, except, internal, headers })
      else {
        const count = await this.#up.broadcast(type, wrap(payload, wrapping), { to, except, internal, headers })
        this.#log({ kind: 'handed', event, count })
      }
    } catch (error) {
      this.#log({ kind: 'failed', event, code: codeOf(error) })
    }
  }

  respond(type: string): void {
    this.#log({ kind: 'responding', type })
    const responder = this.#up.respond(type, async ({ payload, headers }) => {
      const { asker, request } = questionOf(payload)
      if (headers.number !== headersFor(request).number) throw new Error(`expected the headers of ${request}`)
      this.#log({ kind: 'begun', asker, request, type })
      const time = this.#manner()
      if (time !== 'at-once') await this.#stage.sleep(time)
      this.#log({ kind: 'answered', asker, request, type })
      if (request % 7 === 0) throw new RangeError('no answer to multiples of seven')
      const filler = typeof payload === 'object' && payload !== null ? Reflect.get(payload, 'filler') : undefined
      return { asker, request, responder: this.name, ...(filler && { filler }) }
    })
    this.#responders.set(type, responder)
  }

  unrespond(type: string): void {
    this.#responders.get(type)?.unsubscribe()
    this.#responders.delete(type)
    this.#log({ kind: 'unresponding', type })
  }

  /** @param size bytes of the request, and of its response, at least */
  async ask(type: string, options: { timeout: number; ordered: boolean }, size = 0): Promise<void> {
    const request = ++this.#lastRequest
    this.#log({ kind: 'asked', request, type, all: false, ...options })
    const question = { asker: this.label, request, ...(size > 0 && { filler: Buffer.alloc(size) }) }
    const reply = await this.#up.request(type, question, { ...options, headers: headersFor(request) }).then(
      (payload) => this.#replyOf(request, payload),
      (error) => ({ origin: '', outcome: codeOf(error), correct: true }),
    )
    this.#log({ kind: 'replied', request, ...reply })
    this.#log({ kind: 'settled', request, outcome: reply.outcome })
  }

  async askAll(type: string, timeout: number): Promise<void> {
    const request = ++this.#lastRequest
    this.#log({ kind: 'asked', request, type, timeout, all: true })
    try {
      for await (const { origin, payload, error } of this.#up.requestAll(
        type,
        { asker: this.label, request },
        { timeout, headers: headersFor(request) },
      )) {
        if (error) this.#log({ kind: 'replied', request, origin, outcome: error.code, correct: true })
        else this.#log({ kind: 'replied', request, ...this.#replyOf(request, payload, origin) })
      }
      this.#log({ kind: 'settled', request, outcome: 'end' })
    } catch (error) {
      this.#log({ kind: 'settled', request, outcome: codeOf(error) })
    }
  }

  async close(timeout: number): Promise<void> {
    if (!this.isUp) return
    this.#state = 'closing'
    this.#log({ kind: 'closing', timeout })
    const left = await this.#up.close({ timeout }).then(
      () => ({ undelivered: [] }),
      (error: unknown) => leftBy(error),
    )
    this.#state = 'over'
    this.#log({ kind: 'closed', ...left })
  }

  /** Records its peers and their interests. */
  look(): void {
    const peers = this.#up.peers.map(({ id, subscriptions, responds }) => {
      return { id, subscriptions: [...subscriptions].sort(), responds: [...responds].sort() }
    })
    const responds = this.responds.sort()
    const subscriptions = [...this.#up.subscribedEvents].filter((type) => !this.#responders.has(type)).sort()
    this.#log({ kind: 'acquainted', peers, subscriptions, responds })
  }

  get #up(): Endpoint {
    if (this.#endpoint) return this.#endpoint
    throw new TypeError(`expected ${this.label} to be started`)
  }

  /** Records the peers that joined before listeners could be added. */
  #observe(endpoint: Endpoint): void {
    for (const { id, name } of endpoint.peers) this.#log({ kind: 'joined', peer: id, name })
    endpoint.on('joined', ({ id, name }) => this.#log({ kind: 'joined', peer: id, name }))
    endpoint.on('left', ({ id, name }, { unhandled, unfinishedEvents }) => {
      this.#logReported(unfinishedEvents)
      this.#log({ kind: 'left', peer: id, name, unhandled })
    })
    endpoint.on('lost', ({ id, name }, { cause, undelivered, unconfirmed, unfinishedEvents }) => {
      this.#logReported(unfinishedEvents)
      this.#log({ kind: 'lost', peer: id, name, cause: cause.code, undelivered, unconfirmed })
    })
    endpoint.on('gap', ({ peer, count }) => this.#log({ kind: 'gap', peer: peer.name, count }))
    for (const kind of ['slow', 'lagging', 'recovered', 'unresponsive'] as const) {
      endpoint.on(kind, ({ id, name }) => this.#log({ kind, peer: id, name }))
    }
    endpoint.on('error', (error) => {
      const { code, message } = error
      // By their names, as the core of a mutant has classes of its own.
      if (isEventError(error)) this.#logReported(error.event ? [error.event] : [])
      this.#log({ kind: 'error', code, message })
      // Another endpoint has its name, so it closes by itself.
      if (code === 'LAHJA_NAME_IN_USE') void this.close(CLOSING)
    })
  }

  /** Records what has become of its own events. */
  #logReported(events: readonly Received[]): void {
    for (const { payload } of events) {
      const { sender, event } = unwrap(payload) ?? { sender: '', event: 0 }
      if (sender === this.label) this.#log({ kind: 'reported', event })
    }
  }

  #keep(number: number, subscription: Pick<Subscription, 'ready'>, end: () => void): void {
    this.#subscriptions.set(number, { end })
    untilReady(subscription).then(
      () => this.#log({ kind: 'ready', subscription: number }),
      () => {},
    )
  }

  #receive(subscription: number, { type, origin, payload, headers }: Received): unknown {
    const unwrapped = unwrap(payload) ?? { sender: '', event: 0, filler: new Uint8Array() }
    const { sender, event } = unwrapped
    const time = this.#manner()
    const received = {
      subscription,
      type,
      origin,
      sender,
      event,
      digest: digestOf(unwrapped),
      headers: numberIn(headers),
    }
    if (time === 'at-once') return void this.#log({ kind: 'received', ...received })
    this.#log({ kind: 'received', ...received, isLong: true })
    return this.#stage.sleep(time).then(() => this.#log({ kind: 'handled', subscription, sender, event }))
  }

  #replyOf(request: number, payload: unknown, origin?: string) {
    const reply = questionOf(payload)
    const isFromOrigin = origin === undefined || reply.responder === origin
    const correct = reply.asker === this.label && reply.request === request && isFromOrigin
    return { origin: reply.responder, outcome: 'response', correct }
  }

  #log(said: RecordFields): void {
    this.#stage.log(this.label, said)
  }
}

interface Received {
  readonly type: string
  readonly origin: string
  readonly headers: EventHeaders
  readonly payload: unknown
}

function listOf(audience: BroadcastOptions['to']): Extract<RecordFields, { kind: 'sent' }>['to'] {
  if (audience === undefined || typeof audience === 'string') return audience
  return 'group' in audience ? { group: audience.group } : [...audience]
}

/** The payloads of requests and responses. */
function questionOf(payload: unknown): { asker: string; request: number; responder: string } {
  const nothing = { asker: '', request: 0, responder: '' }
  if (typeof payload !== 'object' || payload === null || !('asker' in payload) || !('request' in payload))
    return nothing
  const { asker, request } = payload
  const responder = 'responder' in payload && typeof payload.responder === 'string' ? payload.responder : ''
  return typeof asker === 'string' && typeof request === 'number' ? { asker, request, responder } : nothing
}

export function codeOf(error: unknown): string {
  if (typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string')
    return error.code
  throw error
}

/** The events that a `CloseTimeout` tells of. */
function leftBy(error: unknown): { undelivered: string[]; unhandled: string[] } {
  if (codeOf(error) !== 'LAHJA_CLOSE_TIMEOUT' || typeof error !== 'object' || error === null) throw error
  const keysOf = (name: string): string[] => {
    const counts: unknown = Reflect.get(error, name)
    return counts instanceof Map ? [...counts.keys()].map(String) : []
  }
  return { undelivered: keysOf('undelivered'), unhandled: keysOf('unhandled') }
}

function isEventError(error: LahjaError): error is NoSubscribers | OutboxOverflow {
  return error.name === 'NoSubscribers' || error.name === 'OutboxOverflow'
}
