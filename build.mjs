// Builds dist/ from src/: the code as one file, which loads in half the time of many; its types as they are; and entries
// for `import` that have the same code as `require`, so that no program gets the package twice. With `--bench` it
// builds bench/dist/ too, and checks no types.
import { execFileSync } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { build } from 'esbuild-wasm'

const require = createRequire(import.meta.url)

const isForBench = process.argv.includes('--bench')

/** Runs the compiler for a project whose output is in `directory`. */
function compile(project, directory) {
  rmSync(directory, { recursive: true, force: true })
  const args = [require.resolve('typescript/bin/tsc'), '-p', project, ...(isForBench ? ['--noCheck'] : [])]
  execFileSync(process.execPath, args, { stdio: 'inherit' })
}

compile('tsconfig.build.json', 'dist')
await build({
  entryPoints: ['src/index.ts'],
  outfile: 'dist/index.js',
  bundle: true,
  // p-queue is a module that jest, and Node before 20.19, can't require.
  external: ['msgpackr'],
  platform: 'node',
  target: 'node20.19',
  format: 'cjs',
  logLevel: 'warning',
})

// What is left of other characters is in comments of p-queue. A file of only ASCII loads faster.
writeFileSync('dist/index.js', readFileSync('dist/index.js', 'utf8').replace(/[^\0-\x7f]/g, '?'))

const names = Object.keys(require('./dist/index.js')).join(', ')

// A CommonJS file that is imported is searched for its exports first, which takes longer than to run it.
writeFileSync(
  'dist/index.mjs',
  `import { createRequire } from 'node:module'

export const { ${names} } =
  createRequire(import.meta.url)('./index.js')
`,
)
// Bundlers see what is imported, but not what is required in that way: they would leave the code behind.
writeFileSync('dist/bundled.mjs', `export { ${names} } from './index.js'\n`)
writeFileSync('dist/index.d.mts', "export * from './index.js'\n")

if (isForBench) compile('bench/tsconfig.json', 'bench/dist')
