import { closeSync, openSync, writeSync } from 'node:fs'
import type { HistoryRecord } from '../simulation/record'

/**
 * What one process writes down, a line of JSON for each record. Each is written before anything comes of what it tells,
 * so a process that is killed has done nothing that is not in it.
 */
export class LogFile {
  readonly #file: number

  constructor(path: string) {
    this.#file = openSync(path, 'a', 0o600)
  }

  add(record: HistoryRecord): void {
    writeSync(this.#file, `${JSON.stringify(record)}\n`)
  }

  close(): void {
    closeSync(this.#file)
  }
}
