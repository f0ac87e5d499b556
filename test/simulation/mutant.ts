import { cpSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { compilationDirectory, compile } from '../multiprocess/compilation'
import { type Core, loadCore, SOURCE } from './core'
import type { Profile } from './plan'

/** A plausible mistake in one place of the source. */
export interface Mutant {
  readonly mistake: string
  /** Path below `src`, without its extension. */
  readonly file: string
  readonly original: string
  readonly replacement: string
  /** Guarantees, of which at least one must break. */
  readonly breaks: readonly string[]
  /** The profile whose runs show the mistake soonest, if most others hardly ever do. */
  readonly profile?: Profile
  /** Within how many seeds it must be noticed, if it shows rarely. */
  readonly seeds?: number
}

/** The package with the mistake: a copy of its compiled source, with the mistaken file compiled anew. */
export class MutantCore {
  readonly core: Core
  readonly #directory: string

  /** @throws TypeError if the original text is not in the source exactly once */
  constructor({ mistake, file, original, replacement }: Mutant) {
    const path = join(SOURCE, `${file}.ts`)
    const parts = readFileSync(path, 'utf8').split(original)
    if (parts.length !== 2) {
      throw new TypeError(`${mistake}: expected one place in ${file}.ts to be '${original}', got ${parts.length - 1}`)
    }
    this.#directory = mkdtempSync(join(tmpdir(), 'lahja-mutant-'))
    symlinkSync(join(SOURCE, '..', 'node_modules'), join(this.#directory, 'node_modules'))
    const source = join(this.#directory, 'src')
    cpSync(join(compilationDirectory(), SOURCE), source, { recursive: true })
    for (const name of readdirSync(source, { encoding: 'utf8', recursive: true })) {
      if (name.endsWith('.ts')) renameSync(join(source, name), join(source, name.replace(/ts$/, 'js')))
    }
    writeFileSync(join(source, `${file}.js`), compile(parts.join(replacement), path))
    this.core = loadCore(source)
  }

  remove(): void {
    rmSync(this.#directory, { recursive: true })
  }
}
