/** Who is dialled first: peers that were linked before, then endpoints of this user or root, then others, then the silent. */
const PRIORITIES = ['known', 'own', 'foreign', 'silent'] as const

export type Priority = (typeof PRIORITIES)[number]

/** The permission to dial a socket, from before the dial to the end of the handshake. */
export interface Turn {
  /** The handshake has failed: lets other sockets be dialled, but not this one under another address. */
  rest(): void
  end(): void
}

/** Bounds the handshakes of our dials: a number at a time, and one at a time with each socket. */
export class DialQueue {
  readonly #limit: number
  /** Keys of the sockets with which there is a handshake. */
  readonly #dialled = new Set<string>()
  /** Keys of the sockets with which there is none for now. */
  readonly #resting = new Set<string>()
  /** What begins each turn, by priority and by the socket's key, in the order of arrival. */
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
  enter(key: string, priority: Priority): Promise<Turn> {
    return new Promise((resolve) => {
      const begin = () => resolve(this.#begin(key))
      const turns = this.#waiting.get(priority)
      const others = turns?.get(key)
      if (others) others.push(begin)
      else turns?.set(key, [begin])
      this.#advance()
    })
  }

  #begin(key: string): Turn {
    this.#dialled.add(key)
    let hasEnded = false
    return {
      rest: () => {
        if (!hasEnded && this.#dialled.delete(key)) this.#resting.add(key)
        this.#advance()
      },
      end: () => {
        if (hasEnded) return
        hasEnded = true
        this.#dialled.delete(key)
        this.#resting.delete(key)
        this.#advance()
      },
    }
  }

  #advance(): void {
    for (const turns of this.#waiting.values()) {
      for (const [key, begins] of turns) {
        if (this.#dialled.size >= this.#limit) return
        if (this.#dialled.has(key) || this.#resting.has(key)) continue
        begins.shift()?.()
        if (begins.length === 0) turns.delete(key)
      }
    }
  }
}
