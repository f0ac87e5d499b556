/** Who receives: for each type, the targets that have asked for it. Looking up costs nothing but the look-up. */
export class Router<Target> {
  readonly #targets = new Map<string, readonly Target[]>()

  add(type: string, target: Target): void {
    const known = this.#targets.get(type) ?? []
    if (!known.includes(target)) this.#targets.set(type, [...known, target])
  }

  remove(type: string, target: Target): void {
    const rest = this.#targets.get(type)?.filter((known) => known !== target) ?? []
    if (rest.length > 0) this.#targets.set(type, rest)
    else this.#targets.delete(type)
  }

  /** The list stays as it is while others subscribe or leave, so it can be walked while handlers run. */
  select(type: string): readonly Target[] {
    return this.#targets.get(type) ?? NOBODY
  }

  /** Every type that has a target. */
  types(): readonly string[] {
    return [...this.#targets.keys()]
  }
}

const NOBODY: readonly never[] = []
