import { hasWildcard } from '../model/pattern'

/** A token of one or more patterns; `*` and `>` are tokens like any other. */
interface Node<Target> {
  readonly targets: Set<Target>
  readonly next: Map<string, Node<Target>>
}

const NONE: ReadonlySet<never> = new Set()

/** The cache is cleared at this size, so that a program that keeps inventing types doesn't fill the memory. */
const MAX_CACHED_ROUTES = 10_000

/**
 * Finds the targets whose patterns match a type.
 *
 * Patterns with wildcards form a tree of tokens, so that a look-up visits only those that match so far; all others are
 * looked up by name. The route of a type is cached until a pattern that may match it is added or removed.
 */
export class PatternTree<Target, Route> {
  readonly #derive: (targets: readonly Target[], type: string) => Route
  readonly #named = new Map<string, Set<Target>>()
  readonly #root: Node<Target> = { targets: new Set(), next: new Map() }
  readonly #routes = new Map<string, Route>()
  /** The route that was looked up last: most events have the type of the event before. */
  #last: { readonly type: string; readonly route: Route } | undefined

  /** @param derive makes the route of a type from its targets, an array that never changes */
  constructor(derive: (targets: readonly Target[], type: string) => Route) {
    this.#derive = derive
  }

  add(pattern: string, target: Target): void {
    this.#last = undefined
    if (!hasWildcard(pattern)) {
      this.#named.set(pattern, (this.#named.get(pattern) ?? new Set()).add(target))
      this.#routes.delete(pattern)
      return
    }
    let node = this.#root
    for (const token of pattern.split('.')) {
      let next = node.next.get(token)
      if (!next) {
        next = { targets: new Set(), next: new Map() }
        node.next.set(token, next)
      }
      node = next
    }
    node.targets.add(target)
    this.#routes.clear()
  }

  remove(pattern: string, target: Target): void {
    this.#last = undefined
    if (!hasWildcard(pattern)) {
      const targets = this.#named.get(pattern)
      targets?.delete(target)
      if (targets?.size === 0) this.#named.delete(pattern)
      this.#routes.delete(pattern)
      return
    }
    const path: [node: Node<Target>, token: string][] = []
    let node = this.#root
    for (const token of pattern.split('.')) {
      const next = node.next.get(token)
      if (!next) return
      path.push([node, token])
      node = next
    }
    node.targets.delete(target)
    for (const [above, token] of path.reverse()) {
      const below = above.next.get(token)
      if (below && (below.targets.size > 0 || below.next.size > 0)) break
      above.next.delete(token)
    }
    this.#routes.clear()
  }

  select(type: string): Route {
    if (this.#last?.type === type) return this.#last.route
    const route = this.#routes.get(type) ?? this.#find(type)
    this.#last = { type, route }
    return route
  }

  #find(type: string): Route {
    const targets = new Set<Target>(this.#named.get(type) ?? NONE)
    collect(this.#root, type.split('.'), 0, targets)
    const route = this.#derive([...targets], type)
    if (this.#routes.size >= MAX_CACHED_ROUTES) this.#routes.clear()
    this.#routes.set(type, route)
    return route
  }
}

/** Adds the targets of every pattern below the node that matches the tokens from `index` on. */
function collect<Target>(node: Node<Target>, tokens: readonly string[], index: number, into: Set<Target>): void {
  const token = tokens[index]
  if (token === undefined) {
    for (const target of node.targets) into.add(target)
    return
  }
  for (const target of node.next.get('>')?.targets ?? []) into.add(target)
  const any = node.next.get('*')
  if (any) collect(any, tokens, index + 1, into)
  const same = node.next.get(token)
  if (same && same !== any) collect(same, tokens, index + 1, into)
}
