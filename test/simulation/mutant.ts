import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Core, loadCore, SOURCE } from './core'

/** A plausible mistake in one place of the source. */
export interface Mutant {
  readonly mistake: string
  /** Path below `src`, without its extension. */
  readonly file: string
  readonly original: string
  readonly replacement: string
  /** Guarantees, of which at least one must break. */
  readonly breaks: readonly string[]
}

/** The package with the mistake, compiled from a copy of its source. */
export class MutantCore {
  readonly core: Core
  readonly #directory: string

  /** @throws TypeError if the original text is not in the source exactly once */
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
