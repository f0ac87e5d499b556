import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { LearntShapes } from '../../src/wire/learnt-shapes'

const READER = join(__dirname, '../../src/wire/msgpack-reader.ts')

/** Reads an object often enough for its shape to be compiled; prints the last one, and whether text can become code. */
const SCRIPT = `
  const { MsgpackReader } = require(${JSON.stringify(READER)})
  const reader = new MsgpackReader()
  const bytes = require('msgpackr').pack({ id: 1, name: 'Ada', at: { x: 1, y: 2 } })
  let read
  for (let times = 0; times < 500; times++) read = reader.read(bytes, 0, bytes.length, 9)
  let compiles = true
  try { new Function('') } catch { compiles = false }
  console.log(JSON.stringify({ read, compiles }))
`

const VALUES = [1, 2, 3]

describe('the shape of an object', () => {
  const keysOf = (...names: string[]) => names.map((key) => ({ key, isKept: true }))

  it('is kept as long as it is used, whatever else begins with the same key', () => {
    const shapes = new LearntShapes<{ readonly key: string; readonly isKept: boolean }>()
    const used = keysOf('id', 'name', 'price')
    shapes.add(used)
    for (let times = 0; times < 200; times++) shapes.find(3)?.make(VALUES, 0)
    for (let number = 0; number < 10_000; number++) {
      shapes.add(keysOf('id', `user-${number}`, 'price'))
      shapes.add(keysOf('id', `user-${number}`))
    }
    expect(shapes.find(3)?.keys).to.equal(used)
    expect(shapes.find(3)?.make(VALUES, 0)).to.deep.equal({ id: 1, name: 2, price: 3 })
    expect(shapes.size).to.be.lessThan(5)
    expect(shapes.isOpen, 'to more').to.equal(false)
  })

  for (const [flags, compiles] of [
    [[], true],
    [['--disallow-code-generation-from-strings'], false],
  ] as const) {
    it(`makes objects where code generation from strings is ${compiles ? 'allowed' : 'forbidden'}`, async () => {
      const args = [...flags, '-r', 'ts-node/register/transpile-only', '-e', SCRIPT]
      const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: join(__dirname, '../..') })
      expect(JSON.parse(stdout)).to.deep.equal({ read: { id: 1, name: 'Ada', at: { x: 1, y: 2 } }, compiles })
    })
  }
})
