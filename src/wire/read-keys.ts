/** The most bytes of a key that is kept. */
const MAX_BYTES = 64

/** Number of places for keys, a power of two. A key that needs the place of another takes it. */
const PLACES = 4096

interface ReadKey {
  readonly key: string
  readonly bytes: Uint8Array
  /** The key that was read after this one, last time. */
  next: ReadKey | undefined
}

/** Reads the keys of objects. Objects of one shape follow each other, so it guesses which key comes next. */
export class ReadKeys {
  readonly #places: (ReadKey | undefined)[] = Array.from({ length: PLACES })
  #last: ReadKey = { key: '', bytes: new Uint8Array(), next: undefined }

  /** The key at this place, of so many bytes of UTF-8. */
  read(bytes: Buffer, at: number, length: number): string {
    const { next } = this.#last
    const found = next && isAt(bytes, at, length, next.bytes) ? next : this.#find(bytes, at, length)
    this.#last = found
    return found.key
  }

  #find(bytes: Buffer, at: number, length: number): ReadKey {
    let hash = length
    for (let index = 0; index < length; index++) hash = (Math.imul(hash, 31) + (bytes[at + index] ?? 0)) | 0
    const place = (hash ^ (hash >>> 15)) & (PLACES - 1)
    const known = this.#places[place]
    const found = known && isAt(bytes, at, length, known.bytes) ? known : readKey(bytes, at, length)
    if (length <= MAX_BYTES) {
      this.#places[place] = found
      this.#last.next = found
    }
    return found
  }
}

function readKey(bytes: Buffer, at: number, length: number): ReadKey {
  const text = bytes.toString('utf8', at, at + length)
  // So that no payload can reach a prototype.
  const key = text === '__proto__' ? '__proto_' : text
  return { key, bytes: Uint8Array.prototype.slice.call(bytes, at, at + length), next: undefined }
}

function isAt(bytes: Buffer, at: number, length: number, key: Uint8Array): boolean {
  if (key.length !== length) return false
  for (let index = 0; index < length; index++) if (bytes[at + index] !== key[index]) return false
  return true
}
