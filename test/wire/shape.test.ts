import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'chai'

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

describe('the shape of an object', () => {
  for (const [flags, compiles] of [
    [[], true],
    [['--disallow-code-generation-from-strings'], false],
  ] as const) {
    it(`is read where text ${compiles ? 'can' : 'must not'} become code`, async () => {
      const args = [...flags, '-r', 'ts-node/register/transpile-only', '-e', SCRIPT]
      const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: join(__dirname, '../..') })
      expect(JSON.parse(stdout)).to.deep.equal({ read: { id: 1, name: 'Ada', at: { x: 1, y: 2 } }, compiles })
    })
  }
})
