/** Who is dialled first: peers that were linked before, then endpoints of this user or root, then others, then the silent. */
const PRIORITIES = ['known', 'own', 'foreign', 'silent'] as const

export type Priority = (typeof PRIORITIES)[number]

/** The permission to dial a socket, from before the dial to the end of the handshake. */
export interface DialPermit {
  /** The handshake has failed: lets other sockets be dialled, but not this one under another address. */
  releaseSlot(): void
  /** Lets this socket be dialled as well. */
  release(): void
}

/** Bounds the handshakes of our dials: a number at a time, and one at a time with each socket. */
export class DialQueue {
  readonly #limit: number
  /** Sockets being dialled. */
  readonly #dialled = new Set<string>()
  /** Sockets whose handshake failed; not dialled under another address until released. */
  readonly #resting = new Set<string>()
  /** Waiting grants, by priority and socket key, in order of arrival. */
  readonly #waiting = new Map<Priority, Map<string, (() => void)[]>>(
    PRIORITIES.map((priority) => [priority, new Map()]),
  )

  /** @param limit handshakes at a time */
  constructor(limit: number) {
    this.#limit = limit
  }

  /**
   * Resolves when the socket may be dialled.
   *
   * @param key the same for all addresses of one socket
   */
  enter(key: string, priority: Priority): Promise<DialPermit> {
    return new Promise((resolve) => {
      const grant = () => resolve(this.#grant(key))
      const waiting = this.#waiting.get(priority)
      const others = waiting?.get(key)
      if (others) others.push(grant)
      else waiting?.set(key, [grant])
      this.#advance()
    })
  }

  #grant(key: string): DialPermit {
    this.#dialled.add(key)
    let isReleased = false
    return {
      releaseSlot: () => {
        if (!isReleased && this.#dialled.delete(key)) this.#resting.add(key)
        this.#advance()
      },
      release: () => {
        if (isReleased) return
        isReleased = true
        this.#dialled.delete(key)
        this.#resting.delete(key)
        this.#advance()
      },
    }
  }

  #advance(): void {
    for (const waiting of this.#waiting.values()) {
      for (const [key, grants] of waiting) {
        if (this.#dialled.size >= this.#limit) return
        if (this.#dialled.has(key) || this.#resting.has(key)) continue
        grants.shift()?.()
        if (grants.length === 0) waiting.delete(key)
      }
    }
  }
}
