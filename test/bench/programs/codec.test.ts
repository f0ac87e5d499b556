import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { expect } from 'chai'

const ROOT = join(__dirname, '..', '..', '..')
const PROGRAM = ['-r', 'ts-node/register/transpile-only', 'bench/programs/codec.ts']

describe('bench:codec', () => {
  it('measures one payload in a program of its own', () => {
    const output = execFileSync(process.execPath, [...PROGRAM, '--payload', 'flat-3'], { cwd: ROOT, encoding: 'utf8' })
    const sides: Record<string, unknown> = JSON.parse(output)
    expect(Object.keys(sides)).to.deep.equal(['write', 'read', 'theirWrite', 'theirRead'])
    for (const nanoseconds of Object.values(sides)) expect(nanoseconds).to.be.greaterThan(0)
  }).timeout(60_000)
})
