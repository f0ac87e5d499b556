/** A broadcast as its receivers see it. */
export interface Event<Payload = unknown> {
  readonly type: string
  readonly payload: Payload
  /** The sender's name. */
  readonly origin: string
}

/**
 * What a subscription calls. A promise that it returns is awaited before its next event.
 *
 * Written as a method, whose parameter may be narrower than what it is given: that a payload has the type its
 * definition promises is the sender's word.
 */
export type Handler<Payload> = { handle(event: Event<Payload>): unknown }['handle']
