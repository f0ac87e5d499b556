// The loaders, bundlers, test runners and compilers in which the package has to work, each with the packages that it needs
// and what it has to do. The versions are fixed, so that a run means the same tomorrow.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const node = process.execPath
const FORMATS = ['esm', 'cjs']
const extensionOf = { esm: 'mjs', cjs: 'cjs' }

/** A case for each format of the program and its bundle, with and without minifying. */
function bundled(bundle) {
  const cases = FORMATS.flatMap((format) =>
    [false, true].map((minify) => [
      `${format}${minify ? ', minified' : ''}`,
      async (project) => {
        const entry = `exchange.${extensionOf[format]}`
        const outfile = join(project.bundles, entry)
        await bundle({ ...project, entry, outfile, format, minify })
        await project.exchanges(node, outfile)
      },
    ]),
  )
  return Object.fromEntries(cases)
}

const esbuild = bundled(({ bin, entry, outfile, format, minify }) =>
  bin(
    'esbuild',
    entry,
    '--bundle',
    '--platform=node',
    `--format=${format}`,
    `--outfile=${outfile}`,
    ...(minify ? ['--minify'] : []),
  ),
)

/** Rollup minifies nothing itself. */
const rollup = Object.fromEntries(
  FORMATS.map((format) => [
    format,
    async ({ run, write, bundles, exchanges }) => {
      const entry = `exchange.${extensionOf[format]}`
      const outfile = join(bundles, entry)
      write(
        'bundle.mjs',
        `import commonjs from '@rollup/plugin-commonjs'
        import resolve from '@rollup/plugin-node-resolve'
        import { rollup } from 'rollup'
        const plugins = [resolve({ preferBuiltins: true }), commonjs()]
        const bundle = await rollup({ input: '${entry}', plugins, onwarn() {} })
        await bundle.write({ file: '${outfile}', format: '${format}' })`,
      )
      await run(node, 'bundle.mjs')
      await exchanges(node, outfile)
    },
  ]),
)

const webpack = bundled(async ({ run, write, bundles, entry, format, minify }) => {
  const output = format === 'esm' ? `module: true, chunkFormat: 'module', ` : ''
  write(
    'bundle.cjs',
    `require('webpack')({
      mode: 'production', target: 'node20', entry: './${entry}', optimization: { minimize: ${minify} },
      experiments: { outputModule: ${format === 'esm'} },
      output: { ${output}path: '${bundles}', filename: '${entry}' },
    }, (error, stats) => { if (error || stats.hasErrors()) throw error ?? new Error(stats.toString()) })`,
  )
  await run(node, 'bundle.cjs')
})

const ncc = Object.fromEntries(
  FORMATS.flatMap((format) =>
    [false, true].map((minify) => [
      `${format}${minify ? ', minified' : ''}`,
      async ({ bin, bundles, exchanges }) => {
        await bin(
          'ncc',
          'build',
          `exchange.${extensionOf[format]}`,
          '--out',
          bundles,
          '--quiet',
          ...(minify ? ['--minify'] : []),
        )
        await exchanges(node, join(bundles, `index.${extensionOf[format]}`))
      },
    ]),
  ),
)

const bun = {
  'run, esm': ({ project, exchanges }) => exchanges(join(project, 'node_modules', '.bin', 'bun'), 'exchange.mjs'),
  'run, cjs': ({ project, exchanges }) => exchanges(join(project, 'node_modules', '.bin', 'bun'), 'exchange.cjs'),
  ...bundled(({ bin, entry, outfile, format, minify }) =>
    bin(
      'bun',
      'build',
      entry,
      '--target=node',
      `--format=${format}`,
      `--outfile=${outfile}`,
      ...(minify ? ['--minify'] : []),
    ),
  ),
  'one executable': async ({ bin, bundles, exchanges }) => {
    const outfile = join(bundles, 'exchange')
    await bin('bun', 'build', 'exchange.mjs', '--compile', `--outfile=${outfile}`)
    await exchanges(outfile)
  },
}

const JEST_TOOLS = '{ test, fake: () => jest.useFakeTimers(), real: () => jest.useRealTimers() }'
/** Each format is run on its own, since jest is told about ESM by an option of Node. */
const jest = {
  cjs: async ({ run, write }) => {
    write('jest.config.json', '{ "testMatch": ["**/exchange.test.*"] }')
    write('exchange.test.cjs', `require('./suite.cjs').suite(${JEST_TOOLS}, require('./exchange.cjs').exchange)`)
    await run(node, 'node_modules/jest/bin/jest.js', '--config', 'jest.config.json', 'exchange.test.cjs')
  },
  esm: async ({ run, write }) => {
    write('jest.config.json', '{ "testMatch": ["**/exchange.test.*"] }')
    write(
      'exchange.test.mjs',
      `import { jest } from '@jest/globals'
      import { exchange } from './exchange.mjs'
      import { suite } from './suite.cjs'
      suite(${JEST_TOOLS}, exchange)`,
    )
    const options = ['--experimental-vm-modules', '--no-warnings']
    await run(node, ...options, 'node_modules/jest/bin/jest.js', '--config', 'jest.config.json', 'exchange.test.mjs')
  },
}

const vitest = {
  esm: async ({ bin, write }) => {
    write(
      'exchange.test.mjs',
      `import { test, vi } from 'vitest'
      import { exchange } from './exchange.mjs'
      import { suite } from './suite.cjs'
      suite({ test, fake: () => vi.useFakeTimers(), real: () => vi.useRealTimers() }, exchange)`,
    )
    await bin('vitest', 'run')
  },
}

const nodeTools = '{ test, fake: () => mock.timers.enable(), real: () => mock.timers.reset() }'
const nodeTest = {
  esm: async ({ run, write }) => {
    write(
      'exchange.test.mjs',
      `import { mock, test } from 'node:test'
      import { exchange } from './exchange.mjs'
      import { suite } from './suite.cjs'
      suite(${nodeTools}, exchange)`,
    )
    await run(node, '--test', 'exchange.test.mjs')
  },
  cjs: async ({ run, write }) => {
    write(
      'exchange.test.cjs',
      `const { mock, test } = require('node:test')
      require('./suite.cjs').suite(${nodeTools}, require('./exchange.cjs').exchange)`,
    )
    await run(node, '--test', 'exchange.test.cjs')
  },
}

const source = readFileSync(new URL('exchange.ts', import.meta.url), 'utf8')
/** Compiles the program for both formats at once, checking all types, and runs it. */
const typescript = {
  'esm and cjs': async ({ run, write, exchanges }) => {
    for (const file of ['typed.mts', 'typed.cts']) write(file, source)
    const checks = ['--strict', '--exactOptionalPropertyTypes', '--skipLibCheck', 'false', '--types', 'node']
    const output = ['--module', 'nodenext', '--target', 'es2022', '--outDir', '.']
    await run(node, 'node_modules/typescript/bin/tsc', ...checks, ...output, 'typed.mts', 'typed.cts')
    for (const file of ['typed.mjs', 'typed.cjs']) await exchanges(node, file)
  },
}
const compilers = ['5.4.3', '5.5.2', '5.9.3', '6.0.3', '7.0.2'].map((version) => [
  `typescript ${version}`,
  { packages: [`typescript@${version}`, '@types/node@20.19.43'], cases: typescript },
])

/** By name. */
export const tools = {
  'esbuild 0.28.2': { packages: ['esbuild@0.28.2'], cases: esbuild },
  'rollup 4.68.8': {
    packages: ['rollup@4.68.8', '@rollup/plugin-node-resolve@16.0.3', '@rollup/plugin-commonjs@29.0.3'],
    cases: rollup,
  },
  'webpack 5.113.0': { packages: ['webpack@5.113.0'], cases: webpack },
  'ncc 0.45.0': { packages: ['@vercel/ncc@0.45.0'], cases: ncc },
  'bun 1.4.5': { packages: ['bun@1.4.5'], cases: bun },
  'jest 29.6.3': { packages: ['jest@29.6.3'], cases: jest },
  'jest 30.5.2': { packages: ['jest@30.5.2'], cases: jest },
  'vitest 5.1.2': { packages: ['vitest@5.1.2'], cases: vitest },
  'node:test': { packages: [], cases: nodeTest },
  ...Object.fromEntries(compilers),
}
