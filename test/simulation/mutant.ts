import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Core, loadCore, SOURCE } from './core'

/** A mistake that somebody might make in one place of the source. */
export interface Mutant {
  readonly mistake: string
  /** Path below `src`, without its extension. */
  readonly file: string
  readonly original: string
  readonly replacement: string
  /** The guarantees of which at least one breaks. */
  readonly breaks: readonly string[]
}

/** The package with the mistake in it, compiled from a copy of its source. */
export class MutantCore {
  readonly core: Core
  readonly #directory: string

  /** @throws TypeError where the source has changed, and the mistake has to be made anew */
  constructor({ mistake, file, original, replacement }: Mutant) {
    this.#directory = mkdtempSync(join(tmpdir(), 'lahja-mutant-'))
    const source = join(this.#directory, 'src')
    cpSync(SOURCE, source, { recursive: true })
    symlinkSync(join(SOURCE, '..', 'node_modules'), join(this.#directory, 'node_modules'))
    const path = join(source, `${file}.ts`)
    const parts = readFileSync(path, 'utf8').split(original)
    if (parts.length !== 2) {
      this.remove()
      throw new TypeError(`${mistake}: expected one place in ${file}.ts to be '${original}', got ${parts.length - 1}`)
    }
    writeFileSync(path, parts.join(replacement))
    this.core = loadCore(source)
  }

  remove(): void {
    rmSync(this.#directory, { recursive: true })
  }
}
