import { execFile, execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import * as v from 'valibot'

const Figures = v.object({ eventsPerSecond: v.number(), cpuSecondsPerMillion: v.number() })

/** From `bench/dist/probes`, where this file runs, and from where it is written. */
const SOURCES = ['../../floor/floor.c', '../floor/floor.c'].map((path) => join(__dirname, path))

let program: string | undefined

/** The commands that install what is missing: a compiler. */
export function missingFloor(): readonly string[] {
  return compilerOf() === undefined ? ['apt-get install -y gcc libc6-dev'] : []
}

/** Moves frames of bytes over Unix sockets in C: as fast as this machine can, with the same batches. */
export async function floor(
  consumers: number,
  events: number,
  bytes: number,
  signal: AbortSignal,
): Promise<v.InferOutput<typeof Figures>> {
  program ??= compiled()
  const args = [consumers, events, bytes].map(String)
  const { stdout } = await promisify(execFile)(program, args, { signal })
  return v.parse(Figures, JSON.parse(stdout))
}

function compiled(): string {
  const output = join(mkdtempSync(join(tmpdir(), 'lahja-floor-')), 'floor')
  const source = SOURCES.find((path) => existsSync(path))
  const compiler = compilerOf()
  if (source === undefined || compiler === undefined) throw new Error('expected floor.c and a compiler')
  execFileSync(compiler, ['-O2', '-o', output, source])
  process.once('exit', () => rmSync(dirname(output), { recursive: true, force: true }))
  return output
}

function compilerOf(): string | undefined {
  return ['cc', 'gcc', 'clang'].find((name) => {
    try {
      execFileSync(name, ['--version'], { stdio: 'ignore' })
      return true
    } catch {
      return false
    }
  })
}
