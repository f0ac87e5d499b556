// `npm test`: checks the types and runs most test files in parallel, then those that need the machine to themselves, and
// prints the totals of both runs last. Arguments are passed on to mocha: `npm test -- -g 'G4[,:]'`.
import { spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'

const ALONE = ['test/chaos/chaos.test.ts']

const given = process.argv.slice(2)
// The tests that the arguments select may all be in one of the two runs.
const options = given.length > 0 ? [...given, '--no-fail-zero'] : []
const require = createRequire(import.meta.url)
const mocha = require.resolve('mocha/bin/mocha.js')

// What tests and child processes load, compiled once for all of them; some run as other users.
const compiled = mkdtempSync(join(tmpdir(), 'lahja-'))
chmodSync(compiled, 0o755)
process.env.LAHJA_TEST_COMPILED = compiled
const settings = join(compiled, 'mocharc.json')
const mocharc = JSON.parse(readFileSync('.mocharc.json', 'utf8'))
writeFileSync(settings, JSON.stringify({ ...mocharc, require: [require.resolve('./compiled.js')] }))

/** Resolves to whether all types are right. */
function checkTypes() {
  return new Promise((done) => {
    const tsc = spawn(process.execPath, [require.resolve('typescript/bin/tsc'), '-p', 'tsconfig.json'], {
      stdio: 'inherit',
    })
    tsc.once('close', (code) => done(code === 0))
  })
}

/** Runs mocha, prints its output, and resolves to the numbers of tests that passed and failed. */
function run(...args) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [mocha, '--config', settings, ...args, ...options], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (text) => {
      output += text
      process.stdout.write(text)
    })
    child.once('close', (code) => {
      const count = (what) => Number(output.match(new RegExp(`^  (\\d+) ${what}\\b`, 'm'))?.[1] ?? 0)
      const failed = count('failing')
      // An exit code without a failed test counts as a failure.
      resolve({ passed: count('passing'), failed: code === 0 ? failed : Math.max(failed, 1) })
    })
  })
}

const types = checkTypes()
require('ts-node/register/transpile-only')
await require('./multiprocess/compilation.ts').compileAll(compiled)
const parallel = await run(
  '--parallel',
  '--jobs',
  `${Math.min(availableParallelism() + 1, 4)}`,
  'test/**/*.test.ts',
  '--ignore',
  ...ALONE,
)
const areTypesRight = await types
const alone = await run(...ALONE)
rmSync(compiled, { recursive: true })
const passed = parallel.passed + alone.passed
const failed = parallel.failed + alone.failed
console.log(`${passed} passed, ${failed} failed${areTypesRight ? '' : '; the types are wrong, see above'}`)
process.exitCode = passed > 0 && failed === 0 && areTypesRight ? 0 : 1
