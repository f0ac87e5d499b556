import { createHash } from 'node:crypto'
import { type Line, wordsIn } from './text'

/** The result of a tally. Two totals are equal if the same lines were added in the same order. */
export interface Total {
  /** The number of the first line; 0 without any lines. */
  readonly from: number
  readonly lines: number
  readonly words: number
  /** SHA-256 of the lines and their numbers. */
  readonly checksum: string
}

/** Counts lines and words as they arrive. */
export class Tally {
  readonly #hash = createHash('sha256')
  #from = 0
  #lines = 0
  #words = 0

  add(line: Line): void {
    if (this.#lines === 0) this.#from = line.number
    this.#lines++
    this.#words += wordsIn(line)
    this.#hash.update(`${line.number} ${line.text}\n`)
  }

  get total(): Total {
    const checksum = this.#hash.copy().digest('hex')
    return { from: this.#from, lines: this.#lines, words: this.#words, checksum }
  }

  toString(): string {
    return `${counted(this.#lines, 'line')}, ${counted(this.#words, 'word')}`
  }
}

/** A number and its noun, for people: `1 line`, `1,234 lines`. */
export function counted(number: number, thing: string): string {
  return `${number.toLocaleString('en')} ${thing}${number === 1 ? '' : 's'}`
}

export function totalOf(lines: readonly Line[]): Total {
  const tally = new Tally()
  for (const line of lines) tally.add(line)
  return tally.total
}
