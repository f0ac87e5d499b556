import { expect } from 'chai'
import { MAX_SHAPE_KEYS, MAX_SHAPES } from '../../src/wire/shape-limits'
import { ShapeNode, ShapeTree } from '../../src/wire/shape-tree'

/** As if an object with these keys had been written as a map. Returns its last node. */
function write(records: ShapeTree, keys: readonly string[]): ShapeNode | undefined {
  records.prune()
  const [first = '', ...others] = keys
  let node = records.first(first)
  for (const key of others) node = node && records.next(node, key)
  if (node) records.countMap(node)
  return node
}

function repeat(records: ShapeTree, keys: readonly string[], times = 100): ShapeNode | undefined {
  let node: ShapeNode | undefined
  for (let time = 0; time < times; time++) node = write(records, keys)
  return node
}

/** How often a method of nodes is called while something runs. */
function callsOf(method: 'addChild' | 'prune', run: () => unknown): number {
  const original = ShapeNode.prototype[method]
  let calls = 0
  const value = function (this: ShapeNode, ...args: unknown[]) {
    calls++
    return Reflect.apply(original, this, args)
  }
  Object.defineProperty(ShapeNode.prototype, method, { configurable: true, value })
  try {
    run()
  } finally {
    Object.defineProperty(ShapeNode.prototype, method, { configurable: true, value: original })
  }
  return calls
}

const keysOf = (count: number, prefix = 'key') => Array.from({ length: count }, (_, index) => `${prefix}${index}`)

describe('ShapeTree', () => {
  let records: ShapeTree

  beforeEach(() => {
    records = new ShapeTree()
  })

  it('tells a shape once its objects have been written again and again', () => {
    repeat(records, ['id', 'name'], 16)
    expect(records.shapes).to.deep.equal([])
    repeat(records, ['id', 'name'], 1)
    expect(records.shapes).to.deep.equal([['id', 'name']])
    repeat(records, ['id', 'name'], 1000)
    expect(records.shapes).to.have.length(1)
  })

  it('tells apart objects with other keys, more keys, or another order', () => {
    for (const keys of [['a', 'b'], ['b', 'a'], ['a'], ['a', 'b', 'c']]) repeat(records, keys)
    expect(records.shapes).to.deep.equal([['a', 'b'], ['b', 'a'], ['a'], ['a', 'b', 'c']])
    const shapes = [['a'], ['a', 'b'], ['a', 'b', 'c'], ['b']].map((keys) => write(records, keys)?.shape)
    expect(shapes).to.deep.equal([2, 0, 3, undefined])
  })

  it('tells at most 256 shapes, the first that were seen often', () => {
    for (let number = 0; number < 1000; number++) repeat(records, [`first${number}`, 'second'])
    expect(records.shapes).to.have.length(MAX_SHAPES)
    expect(write(records, ['first0', 'second'])?.shape).to.equal(0)
    expect(write(records, ['first999', 'second'])?.shape).to.equal(undefined)
  })

  it('tells no shape with too many, too long or dangerous keys', () => {
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

  it('tells keys of 64 KiB at most', () => {
    for (let number = 0; number < MAX_SHAPES; number++) repeat(records, keysOf(32, `${'k'.repeat(50)}${number}`), 20)
    const bytes = records.shapes.flat().reduce((sum, key) => sum + key.length, 0)
    expect(bytes).to.be.within(60_000, 65_536)
  })

  it('finds a shape among any number of dictionaries, of which it tells none', () => {
    for (let number = 0; number < 20_000; number++) {
      write(records, [`user${number}`, 'id'])
      write(records, ['id', `user${number}`])
      write(records, ['kind', 'id', `user${number}`, `user${number + 1}`])
      if (number % 100 === 0) write(records, ['id', 'name', 'price'])
      if (number > 5000) expect(write(records, ['id', 'name', 'price'])?.shape).to.equal(0)
    }
    expect(records.shapes).to.deep.equal([['id', 'name', 'price']])
  })

  it('keeps 4,096 nodes at most, whatever objects come, and forgets those of no shape', () => {
    const fields = Array.from({ length: 16 }, (_, bit) => `field${bit}`)
    const writeAll = () => {
      for (let bits = 0; bits < 2 ** 14; bits++) {
        const keys = fields.filter((_, bit) => bits & (1 << bit))
        let node = records.first('id')
        for (const key of keys) node = node && records.next(node, key)
      }
    }
    expect(callsOf('addChild', writeAll)).to.equal(4096)
    expect(callsOf('addChild', writeAll)).to.equal(0)
    records.prune()
    expect(callsOf('addChild', writeAll)).to.equal(4096)
  })

  it('does not look through all shapes for each new key', () => {
    for (let shape = 0; shape < 256; shape++) repeat(records, keysOf(20, `s${shape}k`), 20)
    expect(records.shapes).to.have.length(MAX_SHAPES)
    const users = () => {
      for (let user = 0; user < 1000; user++) write(records, [`user${user}`])
    }
    expect(callsOf('prune', users)).to.be.at.most(MAX_SHAPES * 20 + 1)
  })

  it('tells a shape once, also if others are forgotten while its objects are written', () => {
    for (let times = 0; times < 100; times++) {
      records.prune()
      const head = records.first('head')
      const list = head && records.next(head, 'list')
      if (times % 17 === 0) {
        for (let entry = 0; entry < 9000; entry++) records.first(`user${times * 9000 + entry}`)
      }
      const tail = list && records.next(list, 'tail')
      if (tail && tail.shape === undefined) records.countMap(tail)
    }
    expect(records.shapes).to.deep.equal([['head', 'list', 'tail']])
  })

  it('tells no shape whose keys are not well-formed', () => {
    for (const key of ['\ud800', 'a\udc00', '\ud83d']) repeat(records, ['id', key])
    expect(records.shapes).to.deep.equal([])
    repeat(records, ['id', '😀'])
    expect(records.shapes).to.deep.equal([['id', '😀']])
  })

  it('guesses a record from the first key as long as that pays', () => {
    repeat(records, ['id', 'name'])
    const first = records.first('id')
    for (let number = 0; number < 1000; number++) {
      first?.noteGuess(true)
      first?.noteGuess(number % 4 > 0)
    }
    expect(first?.guessesRecord, 'mostly right').to.equal(true)
    for (let number = 0; number < 1000; number++) first?.noteGuess(number % 2 > 0)
    expect(first?.guessesRecord, 'often wrong').to.equal(false)
    for (let number = 0; number < 10; number++) first?.noteGuess(true)
    expect(first?.guessesRecord, 'right again').to.equal(true)
  })
})
