// Builds dist/ from src/: the code as one file, which loads in half the time of many, as CommonJS and as ESM; its types as
// they are; and entries for `import`. Whatever loads a program sends its `import` and its `require` to one of the two files,
// so that no program gets the package twice. With `--bench` it builds bench/dist/ too, and checks no types.
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { build } from 'esbuild'

const require = createRequire(import.meta.url)

const isForBench = process.argv.includes('--bench')

/** Runs the compiler for a project whose output is in `directory`. */
function compile(project, directory) {
  rmSync(directory, { recursive: true, force: true })
  const args = [require.resolve('typescript/bin/tsc'), '-p', project, ...(isForBench ? ['--noCheck'] : [])]
  execFileSync(process.execPath, args, { stdio: 'inherit' })
}

/** The licenses of the packages that these files are from. */
function licenses(files) {
  const packages = new Set(files.flatMap((file) => file.match(/^.*node_modules\/(?:@[^/]+\/)?[^/]+/)?.[0] ?? []))
  const texts = [...packages].map((directory) => {
    const license = readdirSync(directory).find((name) => /^licen[cs]e/i.test(name))
    const { name, version } = JSON.parse(readFileSync(`${directory}/package.json`, 'utf8'))
    return `${name} ${version}\n\n${readFileSync(`${directory}/${license}`, 'utf8').trim()}\n`
  })
  return `index.js contains these packages.\n\n${texts.join('\n\n')}`
}

compile('tsconfig.build.json', 'dist')
const code = { entryPoints: ['src/index.ts'], bundle: true, platform: 'node', target: 'node20.19', logLevel: 'warning' }

// For `require`, with p-queue inside: it is ESM only, which neither jest nor an older loader can require.
const { metafile, outputFiles } = await build({
  ...code,
  format: 'cjs',
  external: ['msgpackr'],
  metafile: true,
  write: false,
})
// Only its comments have other characters than ASCII, which would make V8 keep two bytes for each.
writeFileSync('dist/index.js', outputFiles[0].text.replace(/[^\0-\x7f]+/g, '?'))
writeFileSync('dist/third-party-licenses.txt', licenses(Object.keys(metafile.inputs)))

// For bundlers, which know `module`: one copy for all that they put into a bundle, by `import` or by `require`.
await build({
  ...code,
  outfile: 'dist/index.mjs',
  format: 'esm',
  packages: 'external',
  define: { __filename: 'import.meta.url' },
})

// For `import` elsewhere: the same copy as for `require`. Loaders follow the import of a CommonJS file, but Node searches
// it for its exports first, which takes longer than to run it. So what knows `module-sync`, as Node does, requires it.
const names = Object.keys(require('./dist/index.js')).join(', ')
writeFileSync('dist/import.mjs', `import lahja from './index.js'\n\nexport const { ${names} } = lahja\n`)
writeFileSync(
  'dist/node.mjs',
  `import { createRequire } from 'node:module'

export const { ${names} } =
  createRequire(import.meta.url)('./index.js')
`,
)
writeFileSync('dist/index.d.mts', "export * from './index.js'\n")

if (isForBench) compile('bench/tsconfig.json', 'bench/dist')
