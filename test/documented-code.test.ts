import { expect } from 'chai'
import { codeBlocksIn, docstringExamples, sourceFiles, sourceOf } from './support/code-blocks'
import { typeErrorsIn } from './support/type-errors'

/** The blocks of TypeScript of a page, by the names of their files, or by their places. */
function modulesIn(page: string): readonly (readonly [string, string])[] {
  return codeBlocksIn(page, 'ts').map(({ title, code }, index) => [title || `block ${index + 1} of ${page}`, code])
}

describe('documented code', () => {
  it('is one block of TypeScript in every example of a docstring', () => {
    const tags = sourceFiles.flatMap((file) => sourceOf(file).match(/@example\b/g) ?? [])
    expect(docstringExamples()).to.have.lengthOf(tags.length).and.not.lengthOf(0)
  })

  it('compiles, in docstrings, the README and the recipes', () => {
    const pages = ['README.md', 'docs/recipes.md'].map(modulesIn)
    for (const modules of pages) expect(modules.length).to.be.greaterThan(3)
    const modules = [...docstringExamples().map(({ title, code }) => [title, code] as const), ...pages.flat()]
    expect(new Set(modules.map(([name]) => name)).size, 'every file has a name of its own').to.equal(modules.length)
    expect(typeErrorsIn(Object.fromEntries(modules))).to.deep.equal([])
  }).timeout(60_000)
})
