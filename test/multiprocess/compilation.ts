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
import { pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { create, REGISTER_INSTANCE, type Service } from 'ts-node'

const ROOT = resolve(__dirname, '../..')

/** What child processes load. */
const FOR_CHILDREN = [
  'src',
  'examples',
  'test/examples',
  'test/multiprocess',
  'test/support',
  'test/simulation',
  'test/chaos',
  'test/memory',
]

/** What tests load, besides. */
const FOR_TESTS = ['bench', 'test']

/** Scripts that `npm test` runs hundreds of times. Together with all that they import they load in half the time. */
const BUNDLED = ['participant.ts', 'raw-peer-process.ts', '../chaos/actor-process.ts']

let path: string | undefined
let ownCompiler: Service | undefined

/**
 * A directory with all modules that child processes load, each at its own path, compiled once as this process itself
 * has been. A child reads those that it needs. `npm test` has one for all processes that run tests.
 */
export function compilationDirectory(): string {
  path ??= compileInto(process.env.LAHJA_TEST_COMPILED ?? ownDirectory(), FOR_CHILDREN, isModule)
  return path
}

/** Compiles into a directory what tests and their child processes load. */
export async function compileAll(directory: string): Promise<void> {
  const bundled = bundle(directory)
  compileInto(directory, [...FOR_CHILDREN, ...FOR_TESTS], (file) => isModule(file) || file.endsWith('.test.ts'))
  for (const { path, text } of (await bundled).outputFiles) write(path, text)
}

/** Compiles one module. */
export function compile(code: string, file: string): string {
  return partsOf(code, file).compiled
}

/** The code of a module, and its source map, which takes a child longer to read than the code. */
function partsOf(code: string, file: string): { readonly compiled: string; readonly map: string } {
  const compiler = process[REGISTER_INSTANCE] ?? ownCompiler ?? create({ transpileOnly: true })
  ownCompiler = compiler
  const output = compiler.compile(code, file)
  const end = output.lastIndexOf('//# sourceMappingURL=')
  const map = output.slice(output.indexOf('base64,', end) + 'base64,'.length)
  return { compiled: output.slice(0, end), map: Buffer.from(map, 'base64').toString() }
}

function ownDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'lahja-'))
  process.once('exit', () => rmSync(directory, { recursive: true }))
  // Children that run as other users read it too.
  chmodSync(directory, 0o755)
  return directory
}

function isModule(file: string): boolean {
  return file.endsWith('.ts') && !/\.(test|d)\.ts$/.test(file)
}

function compileInto(directory: string, folders: readonly string[], isWanted: (file: string) => boolean): string {
  const fileNames = folders.flatMap((folder) => {
    return readdirSync(join(ROOT, folder), { encoding: 'utf8', recursive: true }).map((file) =>
      join(ROOT, folder, file),
    )
  })
  for (const file of fileNames.filter(isWanted)) {
    const target = join(directory, file)
    if (existsSync(target)) continue
    const { compiled, map } = partsOf(readFileSync(file, 'utf8'), file)
    write(`${target}.map`, map)
    write(target, `${compiled}//# sourceMappingURL=${pathToFileURL(target).pathname}.map`)
  }
  return directory
}

function bundle(directory: string) {
  return build({
    entryPoints: BUNDLED.map((file) => join(__dirname, file)),
    outdir: join(directory, ROOT),
    outbase: ROOT,
    outExtension: { '.js': '.ts' },
    bundle: true,
    write: false,
    platform: 'node',
    target: 'node20.19',
    format: 'cjs',
    logLevel: 'warning',
  })
}

/** Writes a file that other processes may write or read at the same time. */
function write(file: string, text: string): void {
  const unfinished = `${file}.${process.pid}`
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(unfinished, text)
  renameSync(unfinished, file)
}
