import type { LahjaError } from '../model/errors'
import { Fifo } from '../platform/fifo'

interface Reader<Item> {
  readonly resolve: (result: IteratorResult<Item, undefined>) => void
  readonly reject: (error: LahjaError) => void
}

/** The unread items of an async iterator, or its reads that wait for items. */
export class StreamBuffer<Item> {
  readonly #items = new Fifo<Item>()
  readonly #readers = new Fifo<Reader<Item>>()
  /** Anything but `open` ends the buffer; an error rejects the next read. */
  #end: 'open' | 'ended' | LahjaError = 'open'
  #pause: Promise<void> | undefined

  get isOpen(): boolean {
    return this.#end === 'open'
  }

  /** The unread items. */
  get items(): Iterable<Item> {
    return this.#items
  }

  /** Number of unread items. */
  get size(): number {
    return this.#items.length
  }

  /** Returns whether the item is unread; if not, it went to a waiting read, or the buffer has ended. */
  push(item: Item): boolean {
    if (!this.isOpen) return false
    const reader = this.#readers.shift()
    if (reader) reader.resolve({ done: false, value: item })
    else this.#items.push(item)
    return !reader
  }

  /** Ends after the unread items. */
  end(): void {
    if (!this.isOpen) return
    this.#end = 'ended'
    for (const { resolve } of this.#takeReaders()) resolve({ done: true, value: undefined })
  }

  /**
   * Drops unread items and ends. All waiting reads reject with the error, or else the next read.
   *
   * @param pause what the next read waits for
   */
  fail(error: LahjaError, pause?: Promise<void>): void {
    if (!this.isOpen) return
    this.#items.clear()
    const readers = this.#takeReaders()
    this.#end = readers.length > 0 ? 'ended' : error
    this.#pause = pause
    for (const { reject } of readers) reject(error)
  }

  /** Drops unread items and ends. */
  discard(): void {
    this.#items.clear()
    this.end()
    this.#end = 'ended'
  }

  /** @throws the error of `fail`, once */
  next(): Promise<IteratorResult<Item, undefined>> {
    const item = this.#items.shift()
    if (item !== undefined) return Promise.resolve({ done: false, value: item })
    if (this.#end === 'open') return new Promise((resolve, reject) => this.#readers.push({ resolve, reject }))
    const end = this.#end
    this.#end = 'ended'
    if (end === 'ended') return Promise.resolve({ done: true, value: undefined })
    return this.#pause ? this.#pause.then(() => Promise.reject(end)) : Promise.reject(end)
  }

  #takeReaders(): readonly Reader<Item>[] {
    const readers = [...this.#readers]
    this.#readers.clear()
    return readers
  }
}
