import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { build } from 'esbuild'

const ROOT = join(__dirname, '..', '..')

/** A small program for each way of loading the package. */
const PROGRAM = `
const main = async () => {
  if (Endpoint.name !== 'Endpoint') throw new Error(Endpoint.name)
  const Greeting = defineEvent('greeting')
  const directory = process.argv[2] ?? ''
  const a = await Endpoint.start({ name: 'a', directory })
  const b = await Endpoint.start({ name: 'b', directory })
  const stream = b.stream(Greeting, { limit: 1 })
  await stream.ready
  await a.broadcast(Greeting)
  for await (const event of stream) console.log(event.origin)
  await Promise.all([a.close(), b.close()])
}
main()
`

describe('the package', function () {
  this.timeout(180_000)
  let project = ''
  let elsewhere = ''
  const run = (command: string, ...words: string[]) => execFileSync(command, words, { cwd: project, encoding: 'utf8' })

  /** Bundles and minifies a program into a directory from which no package can be loaded. Returns the path of the bundle. */
  const bundle = async (program: string) => {
    const outfile = join(elsewhere, `${program}.mjs`)
    const options = { bundle: true, minify: true, platform: 'node', format: 'esm', logLevel: 'error' } as const
    await build({ ...options, entryPoints: [join(project, program)], outfile })
    return outfile
  }

  before(() => {
    elsewhere = mkdtempSync(join(tmpdir(), 'lahja-bundles-'))
    project = mkdtempSync(join(tmpdir(), 'lahja-package-'))
    mkdirSync(join(project, 'bus'), { mode: 0o700 })
    writeFileSync(join(project, 'package.json'), '{ "private": true }')
    const packed = execFileSync('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', project], {
      cwd: ROOT,
      encoding: 'utf8',
    })
    run('npm', 'install', '--no-audit', '--no-fund', '--prefer-offline', `./${packed.trim().split('\n').at(-1)}`)
  })

  after(() => {
    for (const directory of [project, elsewhere]) rmSync(directory, { recursive: true, force: true })
  })

  it('works from an .mjs file', () => {
    writeFileSync(join(project, 'main.mjs'), `import { defineEvent, Endpoint } from 'lahja'\n${PROGRAM}`)
    expect(run(process.execPath, 'main.mjs', join(project, 'bus'))).to.equal('a\n')
  })

  it('works from a .cjs file', () => {
    writeFileSync(join(project, 'main.cjs'), `const { defineEvent, Endpoint } = require('lahja')\n${PROGRAM}`)
    expect(run(process.execPath, 'main.cjs', join(project, 'bus'))).to.equal('a\n')
  })

  it('works where no ES module can be required, as in jest', () => {
    writeFileSync(join(project, 'strict.cjs'), `const { defineEvent, Endpoint } = require('lahja')\n${PROGRAM}`)
    expect(run(process.execPath, '--no-experimental-require-module', 'strict.cjs', join(project, 'bus'))).to.equal(
      'a\n',
    )
  })

  it('needs no ESM from a file that is required, as jest and older loaders can not require it', () => {
    const code = readFileSync(join(project, 'node_modules', 'lahja', 'dist', 'index.js'), 'utf8')
    const required = [...code.matchAll(/\brequire\("([^"]+)"\)/g)].map(([, name = '']) => name)
    expect(new Set(required.filter((name) => !name.startsWith('node:') && name !== 'events'))).to.deep.equal(
      new Set(['msgpackr/index-no-eval']),
    )
  })

  it('joins a bus without loading large Node modules that it does not need', () => {
    const script = `
const before = new Set(process.moduleLoadList)
const { Endpoint } = require('lahja')
Endpoint.start({ name: 'a', directory: process.argv[2] }).then((endpoint) => endpoint.close()).then(() => {
  const loaded = process.moduleLoadList.filter((name) => !before.has(name))
  console.log(loaded.filter((name) => /webcrypto|crypto.random|perf_hooks|fs.promises/.test(name)).join())
})
`
    writeFileSync(join(project, 'lean.cjs'), script)
    expect(run(process.execPath, 'lean.cjs', join(project, 'bus'))).to.equal('\n')
  })

  it('contains only ASCII, since other characters slow down loading', () => {
    const code = readFileSync(join(project, 'node_modules', 'lahja', 'dist', 'index.js'), 'latin1')
    expect(code.match(/[^\0-\x7f].{0,40}/g)).to.equal(null)
  })

  describe('in an ESM program with a CommonJS module that requires it too', () => {
    /** Prints whether the program and the module have the same of everything, and whether errors keep their names. */
    const program = (imported: string) => `import * as imported from '${imported}'
      import { required } from 'plugin'
      const names = Object.keys(required)
      console.log(names.length > 20 && names.every((name) => imported[name] === required[name]))
      console.log(Object.keys(imported).length === names.length)
      console.log(new imported.EndpointClosed('closed') instanceof required.LahjaError)
      const errors = names.filter((name) => imported[name].prototype instanceof imported.LahjaError)
      console.log(errors.length > 20 && errors.every((name) => imported[name].name === name))`

    const SAME = 'true\n'.repeat(4)

    before(() => {
      const plugin = join(project, 'node_modules', 'plugin')
      mkdirSync(plugin)
      writeFileSync(join(plugin, 'package.json'), '{ "name": "plugin", "main": "plugin.js" }')
      writeFileSync(join(plugin, 'plugin.js'), "exports.required = require('lahja')\n")
      writeFileSync(join(project, 'both.mjs'), program('lahja'))
    })

    it('is one module for both', () => {
      expect(run(process.execPath, 'both.mjs')).to.equal(SAME)
    })

    it('is one module for both without the condition module-sync, as in ncc, Bun and vitest', () => {
      writeFileSync(join(project, 'both-elsewhere.mjs'), program('./node_modules/lahja/dist/import.mjs'))
      expect(run(process.execPath, 'both-elsewhere.mjs')).to.equal(SAME)
    })

    // Other formats and bundlers: test/ecosystem.
    it('is one module for both in a minified ESM bundle, which works in another place', async () => {
      const code = `${program('lahja')}\nconst { defineEvent, Endpoint } = imported\n${PROGRAM}`
      writeFileSync(join(project, 'bundled.mjs'), code)
      expect(run(process.execPath, await bundle('bundled.mjs'), join(project, 'bus'))).to.equal(`${SAME}a\n`)
    })
  })

  describe('with its types', () => {
    const types = ['module', 'commonjs']

    before(() => {
      const code = `import { defineEvent, Endpoint, type Event } from 'lahja'
        const Greeting = defineEvent<{ text: string }>('greeting')
        // @ts-expect-error the payload is of another type
        export const wrong = (endpoint: Endpoint) => endpoint.broadcast(Greeting, { text: 1 })
        export const right = (endpoint: Endpoint): Promise<Event<{ text: string }>> => endpoint.waitFor(Greeting)
        ${PROGRAM}`
      for (const type of types) {
        mkdirSync(join(project, type))
        writeFileSync(join(project, type, 'package.json'), JSON.stringify({ private: true, type }))
        writeFileSync(join(project, type, 'main.ts'), code)
      }
      const compiler = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc')
      const typeRoots = join(ROOT, 'node_modules', '@types')
      const options = [
        '--strict',
        '--module',
        'nodenext',
        '--target',
        'es2022',
        '--lib',
        'es2023,esnext.disposable',
        '--skipLibCheck',
      ]
      const files = types.map((type) => join(type, 'main.ts'))
      run(process.execPath, compiler, ...options, '--typeRoots', typeRoots, '--types', 'node', ...files)
    })

    for (const type of types) {
      it(`works from a .ts file of type ${type}`, () => {
        expect(run(process.execPath, join(type, 'main.js'), join(project, 'bus'))).to.equal('a\n')
      })
    }
  })

  it('contains the needed files only', () => {
    const files = run('npm', 'ls', '--all', '--parseable')
      .split('\n')
      .filter((path) => path.includes('node_modules/'))
    const names = files.map((path) => path.split('node_modules/').at(-1))
    expect(names).to.include.members(['lahja', 'msgpackr', 'p-queue'])
    expect(names.filter((name) => name?.startsWith('@types') || name === 'mocha')).to.deep.equal([])
    symlinkSync(join(project, 'node_modules', 'lahja'), join(project, 'contents'))
    const contents = run('ls', 'contents/').split('\n').filter(Boolean)
    expect(contents.sort()).to.deep.equal([
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'SECURITY.md',
      'dist',
      'docs',
      'package.json',
    ])
  })
})
