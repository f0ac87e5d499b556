import { existsSync, openSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'

/** A log entry of one process about one number. */
export interface Entry {
  readonly pid: number
  readonly what: string
  readonly number: number
}

const FILE = 'work'

/**
 * A file with the work of all processes, in the order in which it was done. Written synchronously, so that it is complete even
 * if a process is killed.
 */
export class WorkLog {
  readonly #file: number

  constructor(directory: string) {
    this.#file = openSync(join(directory, FILE), 'a')
  }

  write(what: string, number: number): void {
    writeSync(this.#file, `${process.pid} ${what} ${number}\n`)
  }
}

/** The entries of the work log in a directory. */
export function readWorkLogs(directory: string): Entry[] {
  const path = join(directory, FILE)
  if (!existsSync(path)) return []
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1)
  return lines.map((line) => {
    const [pid, what = '', number] = line.split(' ')
    return { pid: Number(pid), what, number: Number(number) }
  })
}

/** The numbers of entries of one kind, in ascending order. */
export function numbersOf(entries: readonly Entry[], what: string): number[] {
  const numbers = entries.filter((entry) => entry.what === what).map(({ number }) => number)
  return numbers.sort((one, other) => one - other)
}
