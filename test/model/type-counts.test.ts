import { expect } from 'chai'
import { TypeCounts } from '../../src/model/type-counts'

describe('counts by type', () => {
  const make = () => new TypeCounts((type) => ({ type, number: 0 }))

  it('are one for each type, in the order in which the types were seen first', () => {
    const counts = make()
    for (const type of ['b', 'a', 'b', '__proto__', 'a']) counts.of(type).number++
    expect(counts.all()).to.deep.equal([
      { type: 'b', number: 2 },
      { type: 'a', number: 2 },
      { type: '__proto__', number: 1 },
    ])
  })

  it('are one for all types beyond the first 1,000', () => {
    const counts = make()
    for (let number = 0; number < 3000; number++) counts.of(`type${number}`).number++
    counts.of('type0').number++
    expect(counts.all()).to.have.length(1001)
    expect(counts.all()[0]).to.deep.equal({ type: 'type0', number: 2 })
    expect(counts.all().at(-1)).to.deep.equal({ type: '', number: 2000 })
  })
})
