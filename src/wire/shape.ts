/** The most keys of a shape. */
export const MOST_KEYS = 64

/** The most shapes that begin with the same key. */
const MOST_ALIKE = 4

/** So many are learnt in all that begin with the same key. Where there are more, its objects have no shape. */
const MOST_LEARNT = 64

/** So often a shape is seen before a function is compiled for it, which takes as long as some hundred objects. */
const TIMES_BEFORE_COMPILED = 100

/** The most functions that are compiled, as a peer may send any number of shapes. */
const MOST_COMPILED = 1000

/** A key, as it was read. */
export interface Key {
  readonly key: string
  /** Whether it is short enough to be remembered. */
  readonly isKept: boolean
}

/** Makes an object of the values from this index on. */
type Build = (values: readonly unknown[], base: number) => object

/** By what they return, as a shape may be forgotten and learnt again. Undefined where the program forbids to compile. */
const builds = new Map<string, Build | undefined>()

/** The keys of an object, in order. One whose keys are known is made at once: to add them one by one takes ten times as long. */
export class Shape<ReadKey extends Key> {
  readonly keys: readonly ReadKey[]
  #times = 0
  #build: Build

  constructor(keys: readonly ReadKey[]) {
    this.keys = keys
    this.#build = (values, base) => objectOf(keys, values, base)
  }

  /** How often it has been seen, up to when it is compiled. */
  get times(): number {
    return this.#times
  }

  /** An object with these keys, and the values from this index on. */
  make(values: readonly unknown[], base: number): object {
    if (this.#times < TIMES_BEFORE_COMPILED && ++this.#times === TIMES_BEFORE_COMPILED)
      this.#build = compiled(this.keys) ?? this.#build
    return this.#build(values, base)
  }
}

/** The shapes that begin with the same key. */
export class Shapes<ReadKey extends Key> {
  readonly #shapes: Shape<ReadKey>[] = []
  #learnt = 0

  /** Whether more are learnt. */
  get isOpen(): boolean {
    return this.#learnt < MOST_LEARNT
  }

  get size(): number {
    return this.#shapes.length
  }

  /** One of so many keys. */
  find(count: number): Shape<ReadKey> | undefined {
    for (const shape of this.#shapes) if (shape.keys.length === count) return shape
    return undefined
  }

  /** Another shape with the same keys up to an index, and this key there. */
  branch(shape: Shape<ReadKey>, index: number, key: ReadKey): Shape<ReadKey> | undefined {
    return this.#shapes.find(({ keys }) => {
      if (keys.length !== shape.keys.length || keys[index] !== key) return false
      for (let at = 0; at < index; at++) if (keys[at] !== shape.keys[at]) return false
      return true
    })
  }

  /** Adds a shape, for which the one that was seen least gives way; or none, if a key is there twice or is long. */
  add(keys: readonly ReadKey[]): void {
    if (!this.isOpen) return
    this.#learnt++
    const names = new Set(keys.map(({ key }) => key))
    if (names.size < keys.length || !keys.every(({ isKept }) => isKept)) return
    if (this.#shapes.length === MOST_ALIKE) {
      this.#shapes.sort((one, other) => other.times - one.times)
      this.#shapes.pop()
    }
    this.#shapes.push(new Shape(keys))
  }
}

/** An object of the first of these keys, and the values from this index on. */
export function objectOf(
  keys: readonly Key[],
  values: readonly unknown[],
  base: number,
  count = keys.length,
): Record<string, unknown> {
  const object: Record<string, unknown> = {}
  for (let index = 0; index < count; index++) put(object, keys[index]?.key ?? '', values[base + index])
  return object
}

/** Where `Object.prototype` has such a key, as it has `constructor`, it may be frozen, or a setter of the program. */
export function put(object: Record<string, unknown>, key: string, value: unknown): void {
  if (!(key in object) || Object.hasOwn(object, key)) object[key] = value
  else Object.defineProperty(object, key, { value, configurable: true, enumerable: true, writable: true })
}

/** Undefined where there are too many, or the program forbids code that is made of text (`--disallow-code-generation-from-strings`). */
function compiled(keys: readonly Key[]): Build | undefined {
  const properties = keys.map(({ key }, index) => `${JSON.stringify(key)}: values[base + ${index}]`)
  const source = `return { ${properties.join(', ')} }`
  if (!builds.has(source) && builds.size < MOST_COMPILED) builds.set(source, compile(source))
  return builds.get(source)
}

function compile(source: string): Build | undefined {
  try {
    const build: unknown = new Function('values', 'base', source)
    return isBuild(build) ? build : undefined
  } catch {
    return undefined
  }
}

function isBuild(value: unknown): value is Build {
  return typeof value === 'function'
}
