/** A broadcast as its receivers see it. */
export interface Event<Payload = unknown> {
  readonly type: string
  readonly payload: Payload
  /** The sender's name. */
  readonly origin: string
}

/** A request as its responder sees it. */
export interface RequestEvent<Payload = unknown> extends Event<Payload> {
  /** Aborts when nobody waits for the response any more: the asker has given up, timed out, or is gone. */
  readonly signal: AbortSignal
}

/**
 * What a subscription calls. A promise that it returns is awaited before its next event.
 *
 * Written as a method, whose parameter may be narrower than what it is given: that a payload has the type its
 * definition promises is the sender's word, or that of the definition's schema.
 */
export type Handler<Payload> = { handle(event: Event<Payload>): unknown }['handle']

/** What answers requests: with a response, the promise of one, or by throwing. */
export type RequestHandler<Request, Response> = {
  handle(event: RequestEvent<Request>): Response | PromiseLike<Response>
}['handle']

/** Is it a promise, of whatever library? */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}
