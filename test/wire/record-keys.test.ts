import { expect } from 'chai'
import { KeyStep, MAX_SHAPE_KEYS, MAX_SHAPES, RecordKeys } from '../../src/wire/record-keys'

/** As if an object with these keys had been written as a map. Returns its last step. */
function write(records: RecordKeys, keys: readonly string[]): KeyStep | undefined {
  records.prune()
  const [first = '', ...others] = keys
  let step = records.begin(first)
  for (const key of others) step = step && records.follow(step, key)
  if (step) records.count(step)
  return step
}

function repeat(records: RecordKeys, keys: readonly string[], times = 100): KeyStep | undefined {
  let step: KeyStep | undefined
  for (let time = 0; time < times; time++) step = write(records, keys)
  return step
}

/** How often a method of steps is called while something runs. */
function callsOf(method: 'add' | 'prune', run: () => unknown): number {
  const original = KeyStep.prototype[method]
  let calls = 0
  const value = function (this: KeyStep, ...args: unknown[]) {
    calls++
    return Reflect.apply(original, this, args)
  }
  Object.defineProperty(KeyStep.prototype, method, { configurable: true, value })
  try {
    run()
  } finally {
    Object.defineProperty(KeyStep.prototype, method, { configurable: true, value: original })
  }
  return calls
}

const keysOf = (count: number, prefix = 'key') => Array.from({ length: count }, (_, index) => `${prefix}${index}`)

describe('the keys of records', () => {
  let records: RecordKeys

  beforeEach(() => {
    records = new RecordKeys()
  })

  it('are told of objects that are written again and again, and not before', () => {
    repeat(records, ['id', 'name'], 16)
    expect(records.shapes).to.deep.equal([])
    repeat(records, ['id', 'name'], 1)
    expect(records.shapes).to.deep.equal([['id', 'name']])
    repeat(records, ['id', 'name'], 1000)
    expect(records.shapes).to.have.length(1)
  })

  it('are those of objects that have these and no more, in this order', () => {
    for (const keys of [['a', 'b'], ['b', 'a'], ['a'], ['a', 'b', 'c']]) repeat(records, keys)
    expect(records.shapes).to.deep.equal([['a', 'b'], ['b', 'a'], ['a'], ['a', 'b', 'c']])
    const shapes = [['a'], ['a', 'b'], ['a', 'b', 'c'], ['b']].map((keys) => write(records, keys)?.shape)
    expect(shapes).to.deep.equal([2, 0, 3, undefined])
  })

  it('are of at most 256 shapes, and of those that were seen often first', () => {
    for (let number = 0; number < 1000; number++) repeat(records, [`first${number}`, 'second'])
    expect(records.shapes).to.have.length(MAX_SHAPES)
    expect(write(records, ['first0', 'second'])?.shape).to.equal(0)
    expect(write(records, ['first999', 'second'])?.shape).to.equal(undefined)
  })

  it('are not those of objects with too many, too long or dangerous ones', () => {
    repeat(records, keysOf(MAX_SHAPE_KEYS + 1))
    repeat(records, ['id', 'x'.repeat(65)])
    repeat(records, keysOf(40, '€'.repeat(30)))
    repeat(records, ['id', '__proto__'])
    repeat(records, ['__proto__', 'id'])
    expect(records.shapes).to.deep.equal([])
    repeat(records, keysOf(MAX_SHAPE_KEYS))
    repeat(records, ['id', 'x'.repeat(64)])
    expect(records.shapes).to.have.length(2)
  })

  it('take 64 KiB at most', () => {
    for (let number = 0; number < MAX_SHAPES; number++) repeat(records, keysOf(32, `${'k'.repeat(50)}${number}`), 20)
    const bytes = records.shapes.flat().reduce((sum, key) => sum + key.length, 0)
    expect(bytes).to.be.within(60_000, 65_536)
  })

  it('are found among any number of dictionaries, which are told nowhere', () => {
    for (let number = 0; number < 20_000; number++) {
      write(records, [`user${number}`, 'id'])
      write(records, ['id', `user${number}`])
      write(records, ['kind', 'id', `user${number}`, `user${number + 1}`])
      if (number % 100 === 0) write(records, ['id', 'name', 'price'])
      if (number > 5000) expect(write(records, ['id', 'name', 'price'])?.shape).to.equal(0)
    }
    expect(records.shapes).to.deep.equal([['id', 'name', 'price']])
  })

  it('keep 4,096 steps at most, whatever objects come, and forget those of no shape', () => {
    const fields = Array.from({ length: 16 }, (_, bit) => `field${bit}`)
    const writeAll = () => {
      for (let bits = 0; bits < 2 ** 14; bits++) {
        const keys = fields.filter((_, bit) => bits & (1 << bit))
        let step = records.begin('id')
        for (const key of keys) step = step && records.follow(step, key)
      }
    }
    expect(callsOf('add', writeAll)).to.equal(4096)
    expect(callsOf('add', writeAll)).to.equal(0)
    records.prune()
    expect(callsOf('add', writeAll)).to.equal(4096)
  })

  it('are not looked through for each new key once there are many of them', () => {
    for (let shape = 0; shape < 256; shape++) repeat(records, keysOf(20, `s${shape}k`), 20)
    expect(records.shapes).to.have.length(MAX_SHAPES)
    const users = () => {
      for (let user = 0; user < 1000; user++) write(records, [`user${user}`])
    }
    expect(callsOf('prune', users)).to.be.at.most(MAX_SHAPES * 20 + 1)
  })

  it('are told once, also if others are forgotten while objects with them are written', () => {
    for (let times = 0; times < 100; times++) {
      records.prune()
      const head = records.begin('head')
      const list = head && records.follow(head, 'list')
      if (times % 17 === 0) {
        for (let entry = 0; entry < 9000; entry++) records.begin(`user${times * 9000 + entry}`)
      }
      const tail = list && records.follow(list, 'tail')
      if (tail && tail.shape === undefined) records.count(tail)
    }
    expect(records.shapes).to.deep.equal([['head', 'list', 'tail']])
  })

  it('are well-formed', () => {
    for (const key of ['\ud800', 'a\udc00', '\ud83d']) repeat(records, ['id', key])
    expect(records.shapes).to.deep.equal([])
    repeat(records, ['id', '😀'])
    expect(records.shapes).to.deep.equal([['id', '😀']])
  })

  it('are guessed from the first one as long as that is worth it', () => {
    repeat(records, ['id', 'name'])
    const first = records.begin('id')
    for (let number = 0; number < 1000; number++) {
      first?.judge(true)
      first?.judge(number % 4 > 0)
    }
    expect(first?.isPromising, 'mostly right').to.equal(true)
    for (let number = 0; number < 1000; number++) first?.judge(number % 2 > 0)
    expect(first?.isPromising, 'often wrong').to.equal(false)
    for (let number = 0; number < 10; number++) first?.judge(true)
    expect(first?.isPromising, 'right again').to.equal(true)
  })
})
