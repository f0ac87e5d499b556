/** The results of each worker, and the files that are still open. */
export class Ledger {
  readonly #open: Set<string>
  readonly #files = new Map<string, number>()
  #lines = 0

  constructor(paths: readonly string[]) {
    this.#open = new Set(paths)
  }

  /** The files without a result. */
  get open(): ReadonlySet<string> {
    return this.#open
  }

  /** A file that was counted twice is entered once. */
  enter(worker: string, { path, lines }: { readonly path: string; readonly lines: number }): void {
    if (!this.#open.delete(path)) return
    this.#files.set(worker, (this.#files.get(worker) ?? 0) + 1)
    this.#lines += lines
  }

  /** One line per worker, and one for all together. */
  toString(): string {
    const shares = [...this.#files].map(([worker, files]) => `${worker}: ${files} files`)
    const counted = [...this.#files.values()].reduce((sum, files) => sum + files, 0)
    const missing = this.#open.size > 0 ? `, ${this.#open.size} files not counted` : ''
    return [...shares, `together: ${counted} files, ${this.#lines} lines${missing}`].join('\n')
  }
}
