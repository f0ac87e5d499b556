import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'

const ROOT = join(__dirname, '..')
const text = (path: string) => readFileSync(join(ROOT, path), 'utf8')
const page = text('docs/reliability.md')
const readme = text('README.md')

/** The guarantees of the README, each with its words. */
const guarantees = [...readme.matchAll(/^\| \*\*(G\d+) ([^*]+)\*\* \| (.+) \|$/gm)].map(
  ([, number = '', name = '', words = '']) => {
    return { number, name, words }
  },
)

/** What the page says of a guarantee, in one line. */
function sectionOf(number: string): string {
  const section = page.split(/^## /m).find((part) => part.startsWith(`${number} `)) ?? expect.fail(number)
  return section.replace(/\s+/g, ' ')
}

const testFiles = readdirSync(join(ROOT, 'test'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.test.ts'))
  .map((file) => `test/${file}`)

/** The guarantees that the names of a file's tests begin with. */
function numbersIn(file: string): string[] {
  const names = [...text(file).matchAll(/\bit\(\s*['"`]((?:G\d+(?:, |: ))+)/g)]
  return names.flatMap(([, numbers = '']) => numbers.match(/G\d+/g) ?? [])
}

describe('docs/reliability.md', () => {
  it('has a section for each guarantee of the README, in the same words', () => {
    expect(guarantees.map(({ number }) => number)).to.deep.equal(
      Array.from({ length: 13 }, (_, index) => `G${index + 1}`),
    )
    expect([...page.matchAll(/^## (G\d+ .+)$/gm)].map(([, heading]) => heading)).to.deep.equal(
      guarantees.map(({ number, name }) => `${number} ${name}`),
    )
    for (const { number, words } of guarantees) expect(sectionOf(number)).to.contain(words)
  })

  it('says of each how it is proved, by which command, and what it does not promise', () => {
    for (const { number } of guarantees) {
      expect(sectionOf(number)).to.contain('**Proved by**').and.contain('**Not promised**')
      expect(sectionOf(number)).to.contain(`**Command** \`npm test -- -g '${number}[,:]'\``)
    }
  })

  it('names a file for each that has a test with its number', () => {
    for (const { number } of guarantees) {
      const named = [...sectionOf(number).matchAll(/test\/[\w./-]+\.test\.ts/g)].map(([path]) => path)
      const numbered = named.filter((path) => numbersIn(path).includes(number))
      expect(numbered, number).not.to.be.empty
    }
  })

  it('names files that exist, and npm scripts that there are', () => {
    const written = page.replace(/([\w./]+)\{([^}]+)\}([\w.]+)/g, (_, start, names, end) => {
      return String(names)
        .split(',')
        .map((name) => `${start}${name}${end}`)
        .join(' ')
    })
    const paths = [...written.matchAll(/test\/[\w./-]+/g)].map(([path]) => path)
    expect(paths.length).to.be.greaterThan(30)
    for (const path of paths) expect(existsSync(join(ROOT, path)), path).to.equal(true)
    const { scripts } = JSON.parse(text('package.json'))
    for (const [, script = ''] of page.matchAll(/npm run ([\w:]+)/g)) expect(scripts).to.have.property(script)
  })

  it('leads nowhere that does not exist', () => {
    for (const [, target = ''] of page.matchAll(/\]\(([^)#]+)/g)) {
      expect(existsSync(join(ROOT, 'docs', target)), target).to.equal(true)
    }
  })

  it('leaves out no guarantee that a test bears the number of', () => {
    const numbers = new Set(testFiles.flatMap(numbersIn))
    expect([...numbers].sort()).to.deep.equal(guarantees.map(({ number }) => number).sort())
  })
})
