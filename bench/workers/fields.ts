/** Reads the fields of what came from another process, or out of a file. */
export class Fields {
  readonly #entries: ReadonlyMap<string, unknown>

  /** @throws TypeError if it is no object */
  constructor(value: unknown) {
    if (typeof value !== 'object' || value === null) throw new TypeError(`expected an object, got ${String(value)}`)
    this.#entries = new Map<string, unknown>(Object.entries(value))
  }

  get names(): string[] {
    return [...this.#entries.keys()]
  }

  value(name: string): unknown {
    return this.#entries.get(name)
  }

  text(name: string): string {
    const field = this.#entries.get(name)
    if (typeof field === 'string') return field
    throw new TypeError(`${name}: expected a string, got ${String(field)}`)
  }

  number(name: string): number {
    const field = this.#entries.get(name)
    if (typeof field === 'number') return field
    throw new TypeError(`${name}: expected a number, got ${String(field)}`)
  }

  flag(name: string): boolean {
    const field = this.#entries.get(name)
    if (typeof field === 'boolean') return field
    throw new TypeError(`${name}: expected true or false, got ${String(field)}`)
  }

  list<Value>(name: string, parse: (value: unknown) => Value): Value[] {
    const field = this.#entries.get(name)
    if (Array.isArray(field)) return field.map((value) => parse(value))
    throw new TypeError(`${name}: expected an array, got ${String(field)}`)
  }

  oneOf<Value extends string>(name: string, values: readonly Value[]): Value {
    const field = this.#entries.get(name)
    const found = values.find((value) => value === field)
    if (found !== undefined) return found
    throw new TypeError(`${name}: expected one of ${values.join(', ')}, got ${String(field)}`)
  }
}
