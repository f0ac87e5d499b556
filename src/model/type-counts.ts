/** The most types that are counted one by one: a peer may send events of any number of them. */
const MAX_TYPES = 1000

/** The name that all other types are counted under. */
const OTHERS = ''

/** Counts by the names of types. */
export class TypeCounts<Count extends { readonly type: string }> {
  readonly #make: (type: string) => Count
  readonly #counts = new Map<string, Count>()
  /** Of the type that was looked up last, as most events have the type of the event before. */
  #last: Count | undefined

  /** @param make makes the count of a type that is new */
  constructor(make: (type: string) => Count) {
    this.#make = make
  }

  of(type: string): Count {
    const last = this.#last
    return last?.type === type ? last : this.#find(type)
  }

  /** In the order in which the types were seen first. Those beyond the first 1,000 are one, named ''. */
  all(): readonly Count[] {
    return [...this.#counts.values()]
  }

  #find(type: string): Count {
    const key = this.#counts.size < MAX_TYPES || this.#counts.has(type) ? type : OTHERS
    const count = this.#counts.get(key) ?? this.#make(key)
    this.#counts.set(key, count)
    this.#last = count
    return count
  }
}
