/** Texts beside the payload of an event or a request, by name. */
export type EventHeaders = Readonly<Record<string, string>>

/** An event as its subscribers receive it. */
export interface Event<Payload = unknown> {
  /** The name of its type; tells types apart in the handler of a pattern. */
  readonly type: string
  readonly payload: Payload
  /** The sender's name. */
  readonly origin: string
  /** The option `headers` of the call that sent it: texts by name. The same frozen empty object for all without. */
  readonly headers: EventHeaders
  /**
   * How often it has been given before to members of its queue that died or failed, by the option `redeliver` of its type.
   * Undefined for 0.
   */
  readonly redelivered?: number | undefined
}

/** A request as its responder receives it. */
export interface RequestEvent<Payload = unknown> extends Event<Payload> {
  /** Aborts when the response is no longer needed: the asker gave up, timed out or disconnected. */
  readonly signal: AbortSignal
}

/**
 * A subscription's handler. Until a promise that it returns settles, the event is being handled, and the next one waits
 * (unless `concurrency` is higher than 1). Any other result is ignored.
 *
 * Declared as a method, so that its parameter may be narrower than `Event<unknown>`: that a payload has the type of its
 * definition is up to the sender, or to the definition's schema.
 */
export type Handler<Payload> = { handle(event: Event<Payload>): unknown }['handle']

/** A responder's handler. Returns the response or a promise of it; what it throws goes to the asker as `RemoteError`. */
export type RequestHandler<Request, Response> = {
  handle(event: RequestEvent<Request>): Response | PromiseLike<Response>
}['handle']

/** Is it a promise, of any library? */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}
