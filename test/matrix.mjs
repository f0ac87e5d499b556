// Runs the tests on every supported line of Node, each installed from the registry as a package that ships the binary.
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const LINES = ['20', '22', '24', '26']
const root = dirname(dirname(fileURLToPath(import.meta.url)))
const shipped = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`
const mocha = join(root, 'node_modules', 'mocha', 'bin', 'mocha.js')

function install(line) {
  const home = join(root, '.matrix', line)
  const binary = join(home, 'node_modules', shipped, 'bin', 'node')
  if (!existsSync(binary)) {
    mkdirSync(home, { recursive: true })
    writeFileSync(join(home, 'package.json'), '{ "private": true }\n')
    execFileSync('npm', ['install', '--no-audit', '--no-fund', `${shipped}@${line}`], { cwd: home, stdio: 'inherit' })
  }
  return binary
}

const failed = []
for (const line of process.argv.length > 2 ? process.argv.slice(2) : LINES) {
  const binary = install(line)
  const version = execFileSync(binary, ['--version'], { encoding: 'utf8' }).trim()
  console.log(`\n── Node ${version} ──`)
  const env = { ...process.env, PATH: `${dirname(binary)}${delimiter}${process.env.PATH}` }
  const { status } = spawnSync(binary, [mocha, 'test/**/*.test.ts'], { cwd: root, env, stdio: 'inherit' })
  if (status !== 0) failed.push(version)
}
if (failed.length > 0) {
  console.error(`\nfailed on ${failed.join(', ')}`)
  process.exit(1)
}
console.log('\npassed on every line of Node')
