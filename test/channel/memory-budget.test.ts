import { expect } from 'chai'
import { type BudgetHolder, MemoryBudget } from '../../src/channel/memory-budget'

/** A holder that drops whole buffers. */
class Pile implements BudgetHolder {
  readonly #budget: MemoryBudget
  readonly buffers: Buffer[] = []
  isStalled = false

  constructor(budget: MemoryBudget) {
    this.#budget = budget
    budget.join(this)
  }

  get bytes(): number {
    return this.buffers.reduce((sum, { length }) => sum + length, 0)
  }

  add(buffer: Buffer): void {
    this.buffers.push(buffer)
    this.#budget.retain(buffer)
  }

  dropOldest(): boolean {
    const buffer = this.buffers.shift()
    if (buffer) this.#budget.release(buffer)
    return buffer !== undefined
  }
}

describe('MemoryBudget', () => {
  it('counts a buffer once until its last holder releases it (G7)', () => {
    const budget = new MemoryBudget(1000)
    const buffer = Buffer.alloc(100)
    for (let holder = 0; holder < 3; holder++) budget.retain(buffer)
    expect(budget.total).to.equal(100)
    for (const left of [100, 100, 0]) {
      budget.release(buffer)
      expect(budget.total).to.equal(left)
    }
    budget.release(buffer)
    expect(budget.total).to.equal(0)
  })

  it('counts equal buffers separately', () => {
    const budget = new MemoryBudget(1000)
    budget.retain(Buffer.alloc(100))
    budget.retain(Buffer.alloc(100))
    expect(budget.total).to.equal(200)
  })

  it('drops nothing up to the limit', () => {
    const budget = new MemoryBudget(100)
    const pile = new Pile(budget)
    pile.add(Buffer.alloc(100))
    budget.makeRoom()
    expect(pile.buffers).to.have.length(1)
  })

  it('makes the largest holder drop its oldest until the total is within the limit (G7)', () => {
    const budget = new MemoryBudget(100)
    const [small, large] = [new Pile(budget), new Pile(budget)]
    for (const size of [10, 20]) small.add(Buffer.alloc(size))
    for (const size of [30, 31, 32]) large.add(Buffer.alloc(size))
    budget.makeRoom()
    expect(small.buffers.map(({ length }) => length)).to.deep.equal([10, 20])
    expect(large.buffers.map(({ length }) => length)).to.deep.equal([31, 32])
    expect(budget.total).to.equal(93)
  })

  it('makes holders whose peers do not read drop first, also if others hold more (G8)', () => {
    const budget = new MemoryBudget(100)
    const [fast, ...stopped] = [new Pile(budget), new Pile(budget), new Pile(budget)]
    for (const pile of stopped) {
      pile.isStalled = true
      for (let count = 0; count < 2; count++) pile.add(Buffer.alloc(10))
    }
    for (let count = 0; count < 10; count++) fast.add(Buffer.alloc(10))
    budget.makeRoom()
    expect([fast, ...stopped].map(({ buffers }) => buffers.length)).to.deep.equal([10, 0, 0])
    fast.add(Buffer.alloc(10))
    budget.makeRoom()
    expect(fast.buffers).to.have.length(10)
  })

  it('counts what cannot be dropped, and makes room for it', () => {
    const budget = new MemoryBudget(100)
    const pile = new Pile(budget)
    for (let count = 0; count < 10; count++) pile.add(Buffer.alloc(10))
    budget.charge(50)
    budget.makeRoom()
    expect(pile.buffers).to.have.length(5)
    budget.charge(-50)
    expect(budget.total).to.equal(50)
  })

  it('goes on with the next holder once that one is the largest', () => {
    const budget = new MemoryBudget(50)
    const [one, other] = [new Pile(budget), new Pile(budget)]
    for (let count = 0; count < 4; count++) {
      one.add(Buffer.alloc(20))
      other.add(Buffer.alloc(20))
    }
    budget.makeRoom()
    expect([one.buffers.length, other.buffers.length]).to.deep.equal([1, 1])
  })

  it('asks no holder that has left or is empty', () => {
    const budget = new MemoryBudget(50)
    const [gone, empty] = [new Pile(budget), new Pile(budget)]
    gone.add(Buffer.alloc(100))
    budget.leave(gone)
    budget.makeRoom()
    expect(gone.buffers).to.have.length(1)
    expect(empty.buffers).to.have.length(0)
    expect(budget.total).to.equal(100)
  })
})
