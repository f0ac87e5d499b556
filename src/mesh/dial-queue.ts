/** Who is dialled first: peers that were linked before, then endpoints of this user or root, then others, then the silent. */
const PRIORITIES = ['known', 'own', 'foreign', 'silent'] as const

export type Priority = (typeof PRIORITIES)[number]

/** Gives the turn back; called at the end of a handshake. */
export type Leave = () => void

/** Bounds the handshakes of our dials: a number at a time, and one at a time with each socket. */
export class DialQueue {
  readonly #limit: number
  /** Keys of the sockets with which there is a handshake. */
  readonly #busy = new Set<string>()
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
  enter(key: string, priority: Priority): Promise<Leave> {
    return new Promise((resolve) => {
      const begin = () => {
        this.#busy.add(key)
        let hasLeft = false
        resolve(() => {
          if (!hasLeft) this.#leave(key)
          hasLeft = true
        })
      }
      const turns = this.#waiting.get(priority)
      const others = turns?.get(key)
      if (others) others.push(begin)
      else turns?.set(key, [begin])
      this.#advance()
    })
  }

  #leave(key: string): void {
    this.#busy.delete(key)
    this.#advance()
  }

  #advance(): void {
    for (const turns of this.#waiting.values()) {
      for (const [key, begins] of turns) {
        if (this.#busy.size >= this.#limit) return
        if (this.#busy.has(key)) continue
        begins.shift()?.()
        if (begins.length === 0) turns.delete(key)
      }
    }
  }
}
