// `npm run test:ecosystem`: packs the package, installs it beside each loader, bundler, test runner and compiler that it has
// to work in, and lets each run `exchange.ts`. Needs the registry only. Arguments select tools by name: `-- bun jest`.
import { execFile, execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { tools } from './tools.mjs'

const here = dirname(fileURLToPath(import.meta.url))
const root = dirname(dirname(here))
/** Milliseconds for one command. */
const TIMEOUT = 120_000

/** Runs a command and resolves to its output; rejects with all that it has printed, errors first. */
function run(command, args, { cwd, env = {} }) {
  return new Promise((resolve, reject) => {
    const options = { cwd, env: { ...process.env, ...env }, timeout: TIMEOUT, killSignal: 'SIGKILL' }
    execFile(command, args, options, (error, stdout) => {
      if (error) reject(new Error(`${error.message}\n${stdout}`))
      else resolve(stdout)
    })
  })
}

/** What the programs of all projects are: `exchange.ts` as ESM and as CommonJS, and in TypeScript. */
function programs() {
  const source = readFileSync(join(here, 'exchange.ts'), 'utf8')
  const compiled = (module) => {
    const compilerOptions = { module, target: ts.ScriptTarget.ES2022 }
    return ts.transpileModule(source, { compilerOptions, fileName: 'exchange.ts' }).outputText
  }
  return {
    'package.json': '{ "private": true }',
    'exchange.mjs': compiled(ts.ModuleKind.ESNext),
    'exchange.cjs': compiled(ts.ModuleKind.CommonJS),
    'suite.cjs': readFileSync(join(here, 'suite.cjs'), 'utf8'),
  }
}

/** Makes a project with the package and a tool in it. Rejects if the registry hasn't got the tool. */
async function install(home, packed, packages) {
  mkdirSync(home)
  for (const [name, content] of Object.entries(programs())) writeFileSync(join(home, name), content)
  cpSync(join(here, 'plugin'), join(home, 'plugin'), { recursive: true })
  const options = ['--no-audit', '--no-fund', '--prefer-offline', '--install-links', '--loglevel=error']
  await run('npm', ['install', ...options, packed, './plugin', ...packages], { cwd: home })
}

/** Runs all cases of a tool, and resolves to a row for each. */
async function examine([tool, { packages, cases }], scratch, packed) {
  const project = join(scratch, tool.replace(/\W+/g, '-'))
  try {
    await install(project, packed, packages)
  } catch (error) {
    const isMissing = /ETARGET|E404|ENOVERSIONS|notarget/i.test(error.message)
    return [
      { tool, title: '', result: isMissing ? 'not available' : 'FAILED', ms: 0, error: isMissing ? undefined : error },
    ]
  }
  const rows = []
  for (const [title, examineCase] of Object.entries(cases)) {
    const start = performance.now()
    const row = { tool, title, result: 'passed', error: undefined }
    try {
      // What is bundled has to run where no package can be loaded.
      const bundles = mkdtempSync(join(scratch, 'bundle-'))
      await examineCase({
        project,
        bundles,
        run: (command, ...args) => run(command, args, { cwd: project }),
        bin: (name, ...args) => run(join(project, 'node_modules', '.bin', name), args, { cwd: project }),
        write: (name, content) => writeFileSync(join(project, name), content),
        exchanges: async (command, ...args) => {
          const output = await run(command, args, { cwd: project, env: { EXCHANGE: 'now' } })
          if (output !== 'exchanged\n') throw new Error(`expected "exchanged", got "${output}"`)
        },
      })
    } catch (error) {
      Object.assign(row, { result: 'FAILED', error })
    }
    rows.push({ ...row, ms: performance.now() - start })
  }
  return rows
}

function print({ tool, title, result, ms }) {
  console.log(`${tool.padEnd(20)} ${title.padEnd(24)} ${result.padEnd(14)} ${(ms / 1000).toFixed(1).padStart(5)} s`)
}

const scratch = mkdtempSync(join(tmpdir(), 'lahja-ecosystem-'))
const words = process.argv.slice(2)
const waiting = Object.entries(tools).filter(
  ([tool]) => words.length === 0 || words.some((word) => tool.includes(word)),
)
const rows = []
try {
  const pack = ['pack', '--silent', '--pack-destination', scratch]
  const packed = join(scratch, execFileSync('npm', pack, { cwd: root, encoding: 'utf8' }).trim().split('\n').at(-1))
  const work = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const results = await examine(next, scratch, packed)
      results.forEach(print)
      rows.push(...results)
    }
  }
  await Promise.all(Array.from({ length: Math.min(availableParallelism(), 4) }, work))
} finally {
  rmSync(scratch, { recursive: true, force: true })
}

for (const { tool, title, error } of rows)
  if (error) console.error(`\n── ${tool} ${title} ──\n${error.message.slice(0, 2000)}`)
const count = (result) => rows.filter((row) => row.result === result).length
console.log(`\n${count('passed')} passed, ${count('FAILED')} failed, ${count('not available')} tools not available`)
process.exitCode = count('passed') > 0 && count('FAILED') === 0 ? 0 : 1
