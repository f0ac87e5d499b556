import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { REGISTER_INSTANCE } from 'ts-node'

const DIRECTORIES = ['../../src', '../../examples', '.', '../support', '../simulation', '../chaos'].map((directory) =>
  resolve(__dirname, directory),
)

let path: string | undefined

/**
 * A directory with all modules that child processes load, each at its own path, compiled once as this process itself
 * has been. A child reads those that it needs. `npm test` has one for all processes that run tests.
 */
export function compilationDirectory(): string {
  path ??= compileInto(process.env.LAHJA_TEST_COMPILED ?? ownDirectory())
  return path
}

/** Compiles one module, without its source map, which takes a child longer to read than the code. */
export function compile(code: string, file: string): string {
  const compiler = process[REGISTER_INSTANCE]
  if (!compiler) throw new Error('expected to run through ts-node')
  const [compiled = ''] = compiler.compile(code, file).split('//# sourceMappingURL=')
  return compiled
}

function ownDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'lahja-'))
  process.once('exit', () => rmSync(directory, { recursive: true }))
  // Children that run as other users read it too.
  chmodSync(directory, 0o755)
  return directory
}

function compileInto(directory: string): string {
  const fileNames = DIRECTORIES.flatMap((directory) => {
    return readdirSync(directory, { encoding: 'utf8', recursive: true }).map((file) => join(directory, file))
  })
  for (const file of fileNames.filter((name) => name.endsWith('.ts') && !/\.(test|d)\.ts$/.test(name))) {
    const target = join(directory, file)
    if (existsSync(target)) continue
    mkdirSync(dirname(target), { recursive: true })
    const unfinished = `${target}.${process.pid}`
    writeFileSync(unfinished, compile(readFileSync(file, 'utf8'), file))
    renameSync(unfinished, target)
  }
  return directory
}
