/** How often a shape is seen before a function is compiled for it, which takes as long as some hundred objects. */
const TIMES_BEFORE_COMPILED = 100

/** The most functions that are compiled, as a peer may send any number of shapes. */
const MAX_COMPILED = 1000

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

/** The keys of an object, in order. Adding known keys one by one takes ten times as long as making the object with all of them. */
export class Shape<K extends Key> {
  readonly keys: readonly K[]
  #times = 0
  #build: Build

  constructor(keys: readonly K[]) {
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
  if (!builds.has(source) && builds.size < MAX_COMPILED) builds.set(source, compile(source))
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
