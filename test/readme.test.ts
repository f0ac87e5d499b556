import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect } from 'chai'
import * as lahja from '../src'
import { DEFAULT_LIMITS } from '../src/model/limits'
import { codeBlocksIn } from './support/code-blocks'
import { temporaryDirectory } from './support/temporary-directory'

const ROOT = join(__dirname, '..')
const readme = readFileSync(join(ROOT, 'README.md'), 'utf8')

/** The pages of the package. */
const PAGES = [
  'README.md',
  'SECURITY.md',
  'CHANGELOG.md',
  ...readdirSync(join(ROOT, 'docs'))
    .filter((file) => file.endsWith('.md'))
    .map((file) => join('docs', file)),
]

describe('the README', () => {
  const children: ChildProcess[] = []
  afterEach(async () => {
    for (const child of children.splice(0)) {
      if (child.exitCode === null && child.kill('SIGKILL')) await once(child, 'exit')
    }
  })
  const temporary = temporaryDirectory()

  /** The lines a script prints, as it prints them. */
  function run(script: string): { readonly child: ChildProcess; readonly lines: AsyncIterator<string> } {
    const child = spawn(process.execPath, [script], {
      cwd: temporary.path,
      env: { ...process.env, LAHJA_DIRECTORY: join(temporary.path, 'bus') },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    children.push(child)
    return { child, lines: createInterface({ input: child.stdout })[Symbol.asyncIterator]() }
  }

  it('starts in 60 seconds as it stands there', async () => {
    mkdirSync(join(temporary.path, 'node_modules'))
    symlinkSync(ROOT, join(temporary.path, 'node_modules', 'lahja'))
    for (const { title, code } of codeBlocksIn('README.md', 'js')) writeFileSync(join(temporary.path, title), code)
    const listener = run('listener.mjs')
    expect((await listener.lines.next()).value).to.equal('listening')
    const speaker = run('speaker.mjs')
    expect((await speaker.lines.next()).value).to.equal('said hello to 1')
    await once(speaker.child, 'exit')
    for (const line of ['speaker has joined', 'speaker says: hello, whoever you are', 'speaker has left']) {
      expect((await listener.lines.next()).value).to.equal(line)
    }
  })

  it('lists every error with its code', () => {
    const rows = new Map(
      [...readme.matchAll(/^\| `(\w+)` \| `(LAHJA_\w+)` \| [A-Z].+\.[^|]* \|$/gm)].map(([, name = '', code = '']) => [
        name,
        code,
      ]),
    )
    const classes = Object.values(lahja).filter(
      (value) => value.prototype instanceof lahja.LahjaError && value !== lahja.LinkError,
    )
    expect([...rows.keys()].sort()).to.deep.equal(classes.map(({ name }) => name).sort())
    for (const type of classes)
      expect(Reflect.get(Reflect.construct(type, ['', '', {}]), 'code')).to.equal(rows.get(type.name))
  })

  it('has no command but those of the package, and installs what the package is called', () => {
    const { name, scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
    const commands = codeBlocksIn('README.md', 'sh').flatMap(({ code }) => code.trim().split(/\n| && /))
    const run = [...readme.matchAll(/npm run ([\w:]+)/g)].map(([, script = '']) => script)
    for (const script of [...run, 'test', 'start']) expect(Object.keys(scripts)).to.include(script)
    const known = /^npm (ci|test|start|run [\w:]+( -- .+)?)$/
    for (const command of commands) if (command !== `npm install ${name}`) expect(command).to.match(known)
  })

  it('tells no speed but what was measured', () => {
    const measured = readFileSync(join(ROOT, 'docs', 'benchmark.md'), 'utf8')
    const [, table = ''] = /\n\| deliveries\/s .*\n\|---.*\n((?:\|.*\n)+)/.exec(readme) ?? []
    const figures = table.match(/\d{1,3}(,\d{3})+/g) ?? []
    expect(figures.length).to.be.greaterThan(15)
    // With the minimum and the maximum, if there was more than one round.
    for (const figure of figures) expect(measured, figure).to.match(new RegExp(` ${figure} [(|]`))
  })

  it('names tests that exist', () => {
    const pages = readme + readFileSync(join(ROOT, 'docs', 'coming-from-lahja.md'), 'utf8')
    const paths = [...pages.matchAll(/`((?:test|examples)\/[\w./-]+)`/g)].map(([, path = '']) => path)
    expect(paths.length).to.be.greaterThan(20)
    for (const path of paths) expect(existsSync(join(ROOT, path)), path).to.equal(true)
  })

  it('links, as all pages of the package do, only to what the package contains', () => {
    const { files } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
    const pages = PAGES.flatMap((page) => {
      const text = readFileSync(join(ROOT, page), 'utf8')
      return [...text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, target = '']) => join(dirname(page), target))
    })
    expect(pages.length).to.be.greaterThan(20)
    const packed = ['README.md', ...files]
    for (const path of pages) {
      expect(existsSync(join(ROOT, path)), path).to.equal(true)
      expect(packed, path).to.satisfy(() => packed.some((each) => path === each || path.startsWith(`${each}/`)))
    }
  })

  it('handles signals, as all documented programs do, however often they come', () => {
    const programs = readdirSync(join(ROOT, 'examples'), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => join('examples', file))
    const sources = [...PAGES, ...programs, join('src', 'endpoint.ts')]
    const texts = sources.map((file) => readFileSync(join(ROOT, file), 'utf8'))
    expect(texts.join().match(/process\.on\((signal|'SIGTERM')/g)?.length).to.be.greaterThan(10)
    for (const [index, text] of texts.entries())
      expect(text, sources[index]).not.to.match(/process\.once\((signal|'SIG)/)
  })

  it('lists every limit', () => {
    const [, limits = ''] = readme.split('\n## Limits\n')
    for (const name of Object.keys(DEFAULT_LIMITS)) expect(limits).to.contain(`\`${name}\``)
  })
})
