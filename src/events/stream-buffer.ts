import type { LahjaError } from '../model/errors'
import { Fifo } from './fifo'

interface Reader<Item> {
  readonly resolve: (result: IteratorResult<Item, undefined>) => void
  readonly reject: (error: LahjaError) => void
}

/** What has arrived for one `for await`, and those who wait for what has not. */
export class StreamBuffer<Item> {
  readonly #items = new Fifo<Item>()
  readonly #readers: Reader<Item>[] = []
  /** Nothing more comes; an error is for the next one who reads. */
  #end: 'open' | 'ended' | LahjaError = 'open'

  get isOpen(): boolean {
    return this.#end === 'open'
  }

  /** How much waits to be read. */
  get size(): number {
    return this.#items.length
  }

  /** Returns whether it waits to be read; if not, somebody has read it, or nobody will. */
  push(item: Item): boolean {
    if (!this.isOpen) return false
    const reader = this.#readers.shift()
    if (reader) reader.resolve({ done: false, value: item })
    else this.#items.push(item)
    return !reader
  }

  /** What has arrived can still be read. */
  end(): void {
    if (!this.isOpen) return
    this.#end = 'ended'
    for (const { resolve } of this.#readers.splice(0)) resolve({ done: true, value: undefined })
  }

  /** Drops what has arrived; everyone who waits gets the error, or the next one who reads. */
  fail(error: LahjaError): void {
    if (!this.isOpen) return
    this.#items.clear()
    const readers = this.#readers.splice(0)
    this.#end = readers.length > 0 ? 'ended' : error
    for (const { reject } of readers) reject(error)
  }

  /** Drops what has arrived, and ends. */
  discard(): void {
    this.#items.clear()
    this.end()
    this.#end = 'ended'
  }

  /** @throws what it has failed with, once */
  next(): Promise<IteratorResult<Item, undefined>> {
    const item = this.#items.shift()
    if (item !== undefined) return Promise.resolve({ done: false, value: item })
    if (this.#end === 'open') return new Promise((resolve, reject) => this.#readers.push({ resolve, reject }))
    const end = this.#end
    this.#end = 'ended'
    return end === 'ended' ? Promise.resolve({ done: true, value: undefined }) : Promise.reject(end)
  }
}
