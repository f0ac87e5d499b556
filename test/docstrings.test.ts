import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { typeErrorsIn } from './support/type-errors'

const SOURCE = join(__dirname, '..', 'src')
const files = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))
const read = (file: string) => readFileSync(join(SOURCE, file), 'utf8')

/** The code of each `@example` that is one block of TypeScript, by its place. */
const examples = files.flatMap((file) =>
  [...read(file).matchAll(/^( *\*) @example\n\1 ```ts\n((?:\1.*\n)+?)\1 ```$/gm)].map(({ index, 2: lines = '' }) => {
    const line = read(file).slice(0, index).split('\n').length
    return [`src/${file}:${line}`, lines.replace(/^ *\* ?/gm, '')] as const
  }),
)

describe('docstrings', () => {
  it('have one block of TypeScript in every example', () => {
    const tags = files.flatMap((file) => read(file).match(/@example\b/g) ?? [])
    expect(examples).to.have.lengthOf(tags.length).and.not.lengthOf(0)
  })

  it('have no example that does not compile', () => {
    expect(typeErrorsIn(Object.fromEntries(examples))).to.deep.equal([])
  }).timeout(60_000)
})
