import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { REGISTER_INSTANCE } from 'ts-node'

const DIRECTORIES = ['../../src', '../../examples', '.', '../support', '../simulation', '../chaos'].map((directory) =>
  resolve(__dirname, directory),
)

let path: string | undefined

/**
 * A directory with all modules that child processes load, each at its own path, compiled once as this process itself
 * has been. A child reads those that it needs.
 */
export function compilationDirectory(): string {
  path ??= compile()
  return path
}

function compile(): string {
  const compiler = process[REGISTER_INSTANCE]
  if (!compiler) throw new Error('expected to run through ts-node')
  const fileNames = DIRECTORIES.flatMap((directory) => {
    return readdirSync(directory, { encoding: 'utf8', recursive: true }).map((file) => join(directory, file))
  })
  const compiled = mkdtempSync(join(tmpdir(), 'lahja-'))
  process.once('exit', () => rmSync(compiled, { recursive: true }))
  // Children that run as other users read it too.
  chmodSync(compiled, 0o755)
  for (const file of fileNames.filter((name) => name.endsWith('.ts') && !/\.(test|d)\.ts$/.test(name))) {
    const target = join(compiled, file)
    mkdirSync(dirname(target), { recursive: true })
    // Without its source map, which takes a child longer to read than the code.
    const [code = ''] = compiler.compile(readFileSync(file, 'utf8'), file).split('//# sourceMappingURL=')
    writeFileSync(target, code)
  }
  return compiled
}
