import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect } from 'chai'
import { importCircle } from '../support/import-circle'

/** Each folder of the bench, and the folders below it that it may import from. */
const FLOORS: Readonly<Record<string, readonly string[]>> = {
  programs: ['report', 'probes', 'measure', 'workers', 'contenders'],
  report: ['measure', 'contenders'],
  probes: ['measure', 'workers'],
  measure: ['workers', 'contenders'],
  workers: ['contenders'],
  contenders: [],
}

const BENCH = join(__dirname, '..', '..', 'bench')
const files = Object.keys(FLOORS).flatMap((folder) =>
  readdirSync(join(BENCH, folder)).map((file) => join(folder, file.replace(/\.ts$/, ''))),
)
const importsOf = (file: string) => {
  const text = readFileSync(join(BENCH, `${file}.ts`), 'utf8')
  return [...text.matchAll(/from '(\.[^']+)'/g)].map(([, path = '']) => join(dirname(file), path))
}
/** Without imports from outside of the bench. */
const neighboursOf = (file: string) => importsOf(file).filter((path) => !path.startsWith('..'))

describe('the bench', () => {
  it('imports, in each folder of the bench, only from folders below it', () => {
    for (const file of files) {
      const folder = dirname(file)
      for (const imported of neighboursOf(file)) {
        expect([folder, ...(FLOORS[folder] ?? [])], `${file} imports ${imported}`).to.include(dirname(imported))
      }
    }
  })

  it('has no files of the bench that import each other in a circle', () => {
    expect(importCircle(files, neighboursOf)).to.equal(undefined)
  })

  it('imports internals of the source only where the bench measures these alone', () => {
    const importers = files.filter((file) => importsOf(file).some((path) => path.startsWith('..')))
    expect(importers).to.deep.equal(['programs/codec', 'programs/stages'])
  })
})
