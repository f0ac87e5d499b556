import { expect } from 'chai'
import fc from 'fast-check'
import { Backlog, type Slice } from '../../src/channel/backlog'
import { MemoryBudget } from '../../src/channel/memory-budget'
import { assignmentOf, decodeMessage } from '../../src/wire/codec'
import { EventEncoder } from '../../src/wire/event-encoder'
import { FrameReader } from '../../src/wire/frame'
import { SLAB_BYTES } from '../../src/wire/slabs'

const LIMIT = 1 << 20

/** The numbers of the events and assignments in a slice. */
function numbersOf({ chunks }: Slice): number[] {
  const numbers: number[] = []
  const reader = new FrameReader(LIMIT, (bytes, start, end) => {
    const message = decodeMessage(bytes, start, end)
    if ('payload' in message) numbers.push(numberOf(message.payload))
  })
  for (const chunk of chunks) reader.push(chunk)
  return numbers
}

const numberOf = (payload: unknown) => (Array.isArray(payload) ? Number(payload[0]) : Number.NaN)

describe('Backlog', () => {
  let encoder: EventEncoder
  let budget: MemoryBudget
  let backlog: Backlog

  beforeEach(() => {
    encoder = new EventEncoder(LIMIT)
    budget = new MemoryBudget(LIMIT)
    backlog = new Backlog(budget)
  })

  const event = (number: number, filler = 0) => encoder.event('e', [number, Buffer.alloc(filler)])
  const assign = (number: number) => {
    return encoder.assignment(event(number), { queue: 'q', type: 'e', isFixed: false })
  }
  const takeAll = () => numbersOf(backlog.take(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY))

  function sizeOf(number: number): number {
    const { start, end } = event(number)
    return end - start
  }

  it('returns contiguous events in order, as one chunk', () => {
    for (let number = 0; number < 100; number++) backlog.push(event(number), false)
    expect(backlog.events).to.equal(100)
    const slice = backlog.take(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY)
    expect(slice.chunks).to.have.length(1)
    expect(slice.events).to.equal(100)
    expect(numbersOf(slice)).to.deep.equal([...Array(100).keys()])
    expect([backlog.events, backlog.bytes]).to.deep.equal([0, 0])
  })

  it('takes events until a number of bytes is reached, and at least one', () => {
    for (const number of [1, 2, 3, 4]) backlog.push(event(number), false)
    const size = sizeOf(1)
    const taken = [1, size, size + 1, 1].map((bytes) => backlog.take(bytes, bytes))
    expect(taken.map(numbersOf)).to.deep.equal([[1], [2], [3, 4], []])
    expect(taken.map(({ bytes }) => bytes)).to.deep.equal([size, size, 2 * size, 0])
    expect(taken.map(({ events }) => events)).to.deep.equal([1, 1, 2, 0])
  })

  it('drops the oldest events, and counts them as unreported until a gap has been taken (G5)', () => {
    for (const number of [1, 2, 3]) backlog.push(event(number), false)
    expect(backlog.dropOldest()).to.equal(true)
    expect(backlog.dropOldest()).to.equal(true)
    expect([backlog.events, backlog.bytes]).to.deep.equal([1, sizeOf(3)])
    expect(backlog.unreported).to.equal(2)
    expect(takeAll()).to.deep.equal([3])
    expect(backlog.unreported).to.equal(0)
    expect(backlog.dropOldest()).to.equal(false)
    expect(backlog.dropped).to.equal(2)
  })

  it('counts dropped queue events apart', () => {
    backlog.push(assign(1), false)
    backlog.push(event(2), false)
    while (backlog.dropOldest()) {}
    backlog.dropNewest(assign(3))
    expect([backlog.dropped, backlog.droppedAssignments]).to.deep.equal([3, 2])
  })

  it('keeps the latest event of each key in its own place, and counts the dropped ones (G5)', () => {
    backlog.pushLatest('a', event(1))
    backlog.push(event(2), false)
    backlog.pushLatest('b', event(3))
    backlog.pushLatest('a', event(4))
    backlog.pushLatest('a', event(5))
    backlog.push(event(6), false)
    expect(backlog.unreported).to.equal(2)
    expect(backlog.events).to.equal(4)
    expect(takeAll()).to.deep.equal([2, 3, 5, 6])
  })

  it('does not drop an event that has been taken when a newer one of its key comes', () => {
    backlog.pushLatest('a', event(1))
    expect(takeAll()).to.deep.equal([1])
    backlog.pushLatest('a', event(2))
    expect(backlog.dropOldest()).to.equal(true)
    backlog.pushLatest('a', event(3))
    expect(takeAll()).to.deep.equal([3])
    expect(backlog.dropped).to.equal(1)
  })

  it('removes the wanted queue events, and keeps the others with their order and keys', () => {
    backlog.push(event(1), false)
    backlog.push(assign(2), false)
    backlog.pushLatest('a', event(3))
    backlog.pushLatest('b', assign(4))
    backlog.push(assign(5), false)
    const removed = backlog.removeAssignments((frame) => numberOf(assignmentOf(frame).payload) !== 5)
    expect(removed.map((frame) => numberOf(assignmentOf(frame).payload))).to.deep.equal([2, 4])
    expect([backlog.events, backlog.unreported]).to.deep.equal([3, 0])
    backlog.pushLatest('b', event(6))
    backlog.pushLatest('a', event(7))
    expect(backlog.unreported).to.equal(1)
    expect(takeAll()).to.deep.equal([1, 5, 6, 7])
  })

  it('costs what many small runs take of memory, not only their bytes (G7)', () => {
    const budget = new MemoryBudget(1e9)
    const backlog = new Backlog(budget)
    const encoder = new EventEncoder(2 ** 20, budget.slabs)
    for (let key = 0; key < 1000; key++) backlog.pushLatest(`${key}`, encoder.event('n', key))
    const held = budget.total
    expect(backlog.cost).to.be.greaterThan(backlog.bytes + 1000 * 300)
    expect(held).to.be.greaterThan(1000 * 300)
    for (let key = 0; key < 500; key++) backlog.dropKey(`${key}`)
    expect(backlog.cost).to.be.lessThan(held * 0.6)
    backlog.clear()
    expect([backlog.cost, budget.total]).to.deep.equal([0, 0])
  })

  it('holds a buffer until all of it has been taken (G7)', () => {
    for (const number of [1, 2]) backlog.push(event(number), false)
    expect(budget.total).to.equal(SLAB_BYTES)
    backlog.take(1, 1)
    expect(budget.total).to.equal(SLAB_BYTES)
    backlog.take(1, 1)
    expect(budget.total).to.equal(0)
  })

  it('lets go of everything when it is cleared (G7)', () => {
    for (let number = 0; number < 10; number++) backlog.push(event(number, 10_000), true)
    backlog.pushLatest('a', event(11))
    backlog.take(20_000, 20_000)
    expect(budget.total).to.be.greaterThan(0)
    backlog.clear()
    expect(budget.total).to.equal(0)
    expect([backlog.events, backlog.bytes, backlog.unreported]).to.deep.equal([0, 0, 0])
  })

  for (const [what, push] of [
    ['events', (number: number) => backlog.push(event(number), true)],
    ['the newest events of many keys', (number: number) => backlog.pushLatest(`${number}`, event(number))],
  ] as const) {
    it(`keeps no whole buffer alive for each of ${what} that lie far from each other (G7)`, () => {
      for (let number = 0; number < 100; number++) {
        push(number)
        for (let other = 0; other < 5; other++) event(other, 15_000)
      }
      expect(budget.total).to.be.below(3 * SLAB_BYTES)
      expect(takeAll()).to.deep.equal([...Array(100).keys()])
    })
  }

  it('does with any pushes, takes and drops what a plain list would do (G5, G7)', () => {
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.record({ filler: fc.constantFrom(0, 9, 20_000), isBehind: fc.boolean() }) },
      { weight: 3, arbitrary: fc.record({ key: fc.constantFrom('a', 'b', 'c') }) },
      { weight: 2, arbitrary: fc.record({ take: fc.nat(200) }) },
      fc.constant('drop' as const),
      fc.constant('refuse' as const),
      fc.constant('recall' as const),
      fc.constant('cut' as const),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80, size: 'max' }), (steps) => {
        budget = new MemoryBudget(LIMIT)
        backlog = new Backlog(budget)
        let list: { number: number; size: number; key?: string }[] = []
        let [number, dropped] = [0, 0]
        /** The dropped events that are in no gap message yet. */
        let missing: number[] = []
        const cuts: { cut: number; behind: number }[] = []
        for (const action of steps) {
          if (action === 'recall') expect(backlog.removeAssignments(() => true)).to.deep.equal([])
          else if (action === 'cut') cuts.push({ cut: backlog.cut(), behind: number - 1 })
          else if (action === 'drop') {
            const oldest = list.shift()
            if (oldest) dropped++
            if (oldest) missing.push(oldest.number)
            backlog.dropOldest()
          } else if (action === 'refuse') {
            backlog.dropNewest(event(number))
            missing.push(number++)
            dropped++
          } else if ('take' in action) {
            const taken: number[] = []
            for (let bytes = 0; bytes < action.take && list.length > 0; ) {
              const first = list.shift()
              bytes += first?.size ?? 0
              taken.push(first?.number ?? -1)
            }
            const slice = backlog.take(action.take, action.take)
            expect(numbersOf(slice)).to.deep.equal(taken)
            expect(slice.events).to.equal(taken.length)
            const left = missing.filter((one) => list.length > 0 && one > (taken.at(-1) ?? -1))
            expect(slice.gaps.reduce((sum, { count }) => sum + count, 0)).to.equal(missing.length - left.length)
            missing = left
          } else {
            const frame = event(number, 'filler' in action ? action.filler : 0)
            const size = frame.end - frame.start
            if ('key' in action) {
              const { key } = action
              const left = list.filter((one) => one.key !== key)
              dropped += list.length - left.length
              missing.push(...list.filter((one) => one.key === key).map((one) => one.number))
              list = [...left, { number, size, key }]
              backlog.pushLatest(key, frame)
            } else {
              list.push({ number, size })
              backlog.push(frame, action.isBehind)
            }
            number++
          }
          expect(backlog.events).to.equal(list.length)
          expect(backlog.bytes).to.equal(list.reduce((sum, { size }) => sum + size, 0))
          expect(backlog.dropped).to.equal(dropped)
          for (const { cut, behind } of cuts) {
            const isWaiting = list.some((one) => one.number <= behind) || missing.some((one) => one <= behind)
            expect(backlog.hasPassed(cut)).to.equal(!isWaiting)
          }
        }
        expect(takeAll()).to.deep.equal(list.map((one) => one.number))
        expect(budget.total).to.equal(0)
      }),
      { numRuns: 300 },
    )
  })
})
