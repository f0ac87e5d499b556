import { openSync, readdirSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'

/** A log entry of one process about one number. */
export interface Entry {
  readonly pid: number
  readonly what: string
  readonly number: number
}

/** A file with the work of one process. Written synchronously, so that it is complete even if the process is killed. */
export class WorkLog {
  readonly #file: number

  constructor(directory: string) {
    this.#file = openSync(join(directory, `${process.pid}`), 'a')
  }

  write(what: string, number: number): void {
    writeSync(this.#file, `${what} ${number}\n`)
  }
}

/** The entries of all work logs in a directory. */
export function readWorkLogs(directory: string): Entry[] {
  return readdirSync(directory).flatMap((file) => {
    const lines = readFileSync(join(directory, file), 'utf8').split('\n').slice(0, -1)
    return lines.map((line) => {
      const [what = '', number] = line.split(' ')
      return { pid: Number(file), what, number: Number(number) }
    })
  })
}

/** The numbers of entries of one kind, in ascending order. */
export function numbersOf(entries: readonly Entry[], what: string): number[] {
  const numbers = entries.filter((entry) => entry.what === what).map(({ number }) => number)
  return numbers.sort((one, other) => one - other)
}
