/** This endpoint's readiness to answer requests of one type. */
export class Responder implements Disposable {
  readonly type: string
  readonly #known: () => Promise<void>
  #ready: Promise<void> | undefined
  #end: (() => void) | undefined

  constructor(type: string, known: () => Promise<void>, end: () => void) {
    this.type = type
    this.#known = known
    this.#end = end
  }

  /** Resolves when every peer that is connected now knows of it. Rejects with `EndpointClosed` if the endpoint closes first. */
  get ready(): Promise<void> {
    if (!this.#ready) {
      this.#ready = this.#known()
      this.#ready.catch(() => {})
    }
    return this.#ready
  }

  /** Answers no more requests; those under way are answered yet, later ones go to others. Calling it again does nothing. */
  unsubscribe(): void {
    this.#end?.()
    this.#end = undefined
  }

  [Symbol.dispose](): void {
    this.unsubscribe()
  }
}
