import { expect } from 'chai'
import { documentedFigures, figureOf, nameOf, ROW_NAMES } from './figures'
import { measure } from './measure'
import { ROWS } from './rows'

describe('the memory tables of docs/reliability.md', () => {
  it('have the rows that are measured', () => {
    expect([...documentedFigures().keys()]).to.deep.equal(ROW_NAMES)
  })

  for (const row of ROWS.filter(({ isQuick }) => isQuick)) {
    it(`G7: tell at least half of what is held by ${nameOf(row)}`, async () => {
      expect(await measure(row)).to.be.within(figureOf(row) / 4, figureOf(row) * 2)
    })
  }
})
