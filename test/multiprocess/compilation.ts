import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { REGISTER_INSTANCE } from 'ts-node'

const DIRECTORIES = ['../../src', '../../examples', '.', '../support', '../simulation', '../chaos'].map((directory) =>
  resolve(__dirname, directory),
)

let path: string | undefined

/** A file with all that child processes load, compiled once for all of them as this process itself has been. */
export function compilationFile(): string {
  path ??= compile()
  return path
}

function compile(): string {
  const compiler = process[REGISTER_INSTANCE]
  if (!compiler) throw new Error('expected to run through ts-node')
  const fileNames = DIRECTORIES.flatMap((directory) => {
    return readdirSync(directory, { encoding: 'utf8', recursive: true }).map((file) => join(directory, file))
  })
  const modules = fileNames.filter((file) => file.endsWith('.ts') && !/\.(test|d)\.ts$/.test(file))
  const compiled = modules.map((file) => [file, compiler.compile(readFileSync(file, 'utf8'), file)])

  const directory = mkdtempSync(join(tmpdir(), 'lahja-'))
  // Children that run as other users read it too.
  chmodSync(directory, 0o755)
  process.once('exit', () => rmSync(directory, { recursive: true }))
  const written = join(directory, 'compiled.json')
  writeFileSync(written, JSON.stringify(Object.fromEntries(compiled)))
  return written
}
