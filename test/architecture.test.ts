import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'

const ROOT = join(__dirname, '..')
const page = readFileSync(join(ROOT, 'docs', 'ARCHITECTURE.md'), 'utf8')

describe('docs/ARCHITECTURE.md', () => {
  it('lists every folder of src/ and no other, each in one sentence', () => {
    const rows = [...page.matchAll(/^\| `([\w.-]+)` \| ([^|]+\.) \|$/gm)].map(([, folder]) => folder)
    const folders = readdirSync(join(ROOT, 'src'), { withFileTypes: true }).filter((entry) => entry.isDirectory())
    expect(rows.sort()).to.deep.equal(['.', ...folders.map(({ name }) => name)].sort())
  })

  it('names only files of src/ and test/ that exist', () => {
    const paths = [...page.matchAll(/`([\w./-]+\.ts)`/g)].map(([, path = '']) => path)
    expect(paths.length).to.be.greaterThan(30)
    const missing = paths.filter((path) => !existsSync(join(ROOT, path.startsWith('test/') ? '' : 'src', path)))
    expect(missing).to.deep.equal([])
  })

  it('links to pages that exist', () => {
    for (const [, target = ''] of page.matchAll(/\]\(([\w./-]+)/g)) {
      expect(existsSync(join(ROOT, 'docs', target)), target).to.equal(true)
    }
  })
})
