import type { Endpoint, Event, RequestDefinition } from '../../src'

/** A handler that the test releases. */
export class HeldHandler {
  /** The payloads of its calls so far. */
  readonly begun: unknown[] = []
  readonly ended: unknown[] = []
  readonly #held: (() => void)[] = []
  #isFree = false

  /** A new handler that responds to the type. Resolves when all peers know of it. */
  static async respondingTo<Request>(
    type: RequestDefinition<Request, unknown>,
    endpoint: Endpoint,
  ): Promise<HeldHandler> {
    const handler = new HeldHandler()
    await endpoint.respond(type, handler.handle).ready
    return handler
  }

  readonly handle = async ({ payload }: Event): Promise<unknown> => {
    this.begun.push(payload)
    if (!this.#isFree) await new Promise<void>((resolve) => this.#held.push(resolve))
    this.ended.push(payload)
    return payload
  }

  /** Ends the oldest running call. */
  releaseOne(): void {
    this.#held.shift()?.()
  }

  /** Ends all running calls; later ones are not held. */
  release(): void {
    this.#isFree = true
    for (const end of this.#held.splice(0)) end()
  }
}
