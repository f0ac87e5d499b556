import { FIXSTR, STR_8 } from './msgpack-format'

/** The most characters of a key that is cached. */
const MAX_LENGTH = 64

/** The most keys that are cached. */
const MAX_KEYS = 1024

/** After so many look-ups of other keys, a full cache is begun anew: the program may have moved on to other objects. */
const MAX_MISSES = 100 * MAX_KEYS

/** A key in UTF-8 after its length, as msgpack has it. */
export interface EncodedKey {
  readonly key: string
  /** In 32-bit words, big-endian, the last one padded. */
  readonly words: Uint32Array
  /** Bytes, without the padding. */
  readonly length: number
  /** The key that was looked up after this one, last time. */
  next: EncodedKey | undefined
}

/** Keys of objects as msgpack, for the writer. It guesses which comes next, as objects of one shape follow each other. */
export class EncodedKeys {
  readonly #keys = new Map<string, EncodedKey>()
  #last: EncodedKey = encoded('')
  #misses = 0

  /** Returns undefined for a key that isn't cached. */
  find(key: string): EncodedKey | undefined {
    const { next } = this.#last
    const found = next?.key === key ? next : this.#lookUp(key)
    if (found) this.#last = found
    return found
  }

  #lookUp(key: string): EncodedKey | undefined {
    const found = this.#keys.get(key) ?? this.#add(key)
    if (found) this.#last.next = found
    return found
  }

  #add(key: string): EncodedKey | undefined {
    if (key.length > MAX_LENGTH) return undefined
    if (this.#keys.size === MAX_KEYS) {
      this.#misses++
      if (this.#misses < MAX_MISSES) return undefined
      this.#misses = 0
      this.#keys.clear()
    }
    const added = encoded(key)
    this.#keys.set(key, added)
    return added
  }
}

function encoded(key: string): EncodedKey {
  const text = Buffer.from(key)
  const head = text.length < 0x20 ? [FIXSTR | text.length] : [STR_8, text.length]
  const length = head.length + text.length
  const bytes = Buffer.alloc(Math.ceil(length / 4) * 4)
  bytes.set(head)
  bytes.set(text, head.length)
  const words = Uint32Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readUInt32BE(4 * index))
  return { key, words, length, next: undefined }
}
