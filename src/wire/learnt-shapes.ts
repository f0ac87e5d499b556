import { type Key, Shape } from './shape'

/** The most keys of a shape that is learnt. */
export const MAX_LEARNT_KEYS = 64

/** The most shapes that begin with the same key. */
const MAX_ALIKE = 4

/** How many shapes that begin with the same key are learnt in all. Objects with more have no shape. */
const MAX_LEARNT = 64

/** The shapes that begin with the same key, as a reader has learnt them. */
export class LearntShapes<K extends Key> {
  readonly #shapes: Shape<K>[] = []
  #learnt = 0

  /** Whether more are learnt. */
  get isOpen(): boolean {
    return this.#learnt < MAX_LEARNT
  }

  get size(): number {
    return this.#shapes.length
  }

  /** One of so many keys. */
  find(count: number): Shape<K> | undefined {
    for (const shape of this.#shapes) if (shape.keys.length === count) return shape
    return undefined
  }

  /** Another shape with the same keys up to an index, and this key there. */
  branch(shape: Shape<K>, index: number, key: K): Shape<K> | undefined {
    return this.#shapes.find(({ keys }) => {
      if (keys.length !== shape.keys.length || keys[index] !== key) return false
      for (let at = 0; at < index; at++) if (keys[at] !== shape.keys[at]) return false
      return true
    })
  }

  /** Adds a shape, for which the one that was seen least gives way; or none, if a key is there twice or is long. */
  add(keys: readonly K[]): void {
    if (!this.isOpen) return
    this.#learnt++
    const names = new Set(keys.map(({ key }) => key))
    if (names.size < keys.length || !keys.every(({ isKept }) => isKept)) return
    if (this.#shapes.length === MAX_ALIKE) {
      this.#shapes.sort((one, other) => other.times - one.times)
      this.#shapes.pop()
    }
    this.#shapes.push(new Shape(keys))
  }
}
