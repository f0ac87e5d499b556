import { LearntShapes, MAX_LEARNT_KEYS } from './learnt-shapes'
import { FIXSTR, STR_8 } from './msgpack-format'
import type { Shape } from './shape'

/** The most bytes of a key that is kept. */
const MAX_KEPT_BYTES = 64

/** Number of places for keys, a power of two. A key that needs the place of another takes it. */
const PLACES = 4096

/** The place of no key. */
const NOWHERE = PLACES

/** After so many shapes, all are forgotten: the program may have moved on to other objects, and a peer may send any number of them. */
const MAX_LEARNT = 1024

/** A key of objects, as it was read. */
export class DecodedKey {
  readonly key: string
  readonly bytes: Uint8Array
  /** Its short form. */
  readonly encoded: Uint8Array
  /** Those of the objects that begin with it; undefined until one has been read. */
  shapes: LearntShapes<DecodedKey> | undefined
  /** The place of the key that was read after this one, last time. Not that key: it would keep alive all that ever followed. */
  next = NOWHERE

  constructor(key: string, encoded: Uint8Array, headBytes: number) {
    this.key = key
    this.encoded = encoded
    this.bytes = encoded.subarray(headBytes)
  }

  get isKept(): boolean {
    return this.bytes.length <= MAX_KEPT_BYTES
  }
}

/** Keys of objects as strings, found by their bytes, for the reader. It guesses which comes next, as objects of one shape follow each other. */
export class DecodedKeys {
  readonly #places: (DecodedKey | undefined)[] = Array.from({ length: PLACES + 1 })
  #last = new DecodedKey('', new Uint8Array(), 0)
  /** Shapes that have been learnt since all were forgotten. */
  #learnt = 0

  /** The key at this place, of up to 255 bytes of UTF-8. */
  read(bytes: Buffer, at: number, length: number): DecodedKey {
    const next = this.#places[this.#last.next]
    const found = next && isAt(bytes, at, length, next.bytes) ? next : this.#find(bytes, at, length)
    this.#last = found
    return found
  }

  /** Whether to learn the shape of an object. Not of the first one that begins with this key, which is only noted: many are never seen again. */
  shouldLearn(first: DecodedKey, count: number): boolean {
    if (first.shapes) return count <= MAX_LEARNT_KEYS && first.shapes.isOpen
    first.shapes = new LearntShapes()
    return false
  }

  /** Remembers the keys of an object. */
  learn(keys: readonly DecodedKey[]): void {
    if (++this.#learnt > MAX_LEARNT) {
      for (const key of this.#places) if (key) key.shapes = undefined
      this.#learnt = 0
    }
    keys[0]?.shapes?.add(keys)
  }

  /** As if these had been read by now. */
  skipTo({ keys }: Shape<DecodedKey>): void {
    this.#last = keys.at(-1) ?? this.#last
  }

  #find(bytes: Buffer, at: number, length: number): DecodedKey {
    let hash = length
    for (let index = 0; index < length; index++) hash = (Math.imul(hash, 31) + (bytes[at + index] ?? 0)) | 0
    const place = (hash ^ (hash >>> 15)) & (PLACES - 1)
    const known = this.#places[place]
    const found = known && isAt(bytes, at, length, known.bytes) ? known : readKey(bytes, at, length)
    if (found.isKept) {
      this.#places[place] = found
      this.#last.next = place
    }
    return found
  }
}

function readKey(bytes: Buffer, at: number, length: number): DecodedKey {
  const text = bytes.toString('utf8', at, at + length)
  const head = length < 0x20 ? [FIXSTR | length] : [STR_8, length]
  const encoded = new Uint8Array(head.length + length)
  encoded.set(head)
  encoded.set(bytes.subarray(at, at + length), head.length)
  // So that no payload can reach a prototype.
  return new DecodedKey(text === '__proto__' ? '__proto_' : text, encoded, head.length)
}

function isAt(bytes: Buffer, at: number, length: number, key: Uint8Array): boolean {
  if (key.length !== length) return false
  for (let index = 0; index < length; index++) if (bytes[at + index] !== key[index]) return false
  return true
}
