import { ProtocolViolation } from '../model/errors'
import { type Key, Shape } from './shape'
import { MAX_SHAPE_BYTES, MAX_SHAPE_KEYS, MAX_SHAPES, MAX_SHAPES_BYTES, type ShapeKeys } from './shape-limits'

/** The shapes that a sender has told. Its records refer to them by number. */
export class ToldShapes {
  readonly #shapes: Shape<Key>[] = []
  #bytes = 0

  get(number: number): Shape<Key> | undefined {
    return this.#shapes[number]
  }

  /** Adds the next one. @throws ProtocolViolation if it is no valid shape, or one too many */
  add(keys: ShapeKeys): void {
    const bytes = keys.reduce((sum, key) => sum + Buffer.byteLength(key), 0)
    this.#bytes += bytes
    if (this.#shapes.length === MAX_SHAPES) throw malformed(`more than ${MAX_SHAPES} shapes`)
    if (this.#bytes > MAX_SHAPES_BYTES) throw malformed(`more than ${MAX_SHAPES_BYTES} bytes of shapes`)
    if (keys.length === 0 || keys.length > MAX_SHAPE_KEYS) throw malformed(`a shape of ${keys.length} keys`)
    if (bytes > MAX_SHAPE_BYTES) throw malformed(`a shape of ${bytes} bytes`)
    if (new Set(keys).size < keys.length) throw malformed('a shape that has a key twice')
    if (keys.includes('__proto__')) throw malformed('a shape with the key __proto__')
    this.#shapes.push(new Shape(keys.map((key) => ({ key, isKept: true }))))
  }
}

/** The shapes of a sender that has told none. */
export const NO_SHAPES = new ToldShapes()

function malformed(what: string): ProtocolViolation {
  return new ProtocolViolation('malformed', `expected the keys of a shape, got ${what}`)
}
