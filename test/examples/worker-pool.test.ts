import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { programs } from '../support/program'
import { temporaryDirectory } from '../support/temporary-directory'

describe('examples/worker-pool', () => {
  const start = programs()
  const temporary = temporaryDirectory()

  it('counts the primes below a million on all its threads', async () => {
    const bus = join(temporary.path, 'bus')
    const pool = start('examples/worker-pool/pool.ts', [], { env: { LAHJA_DIRECTORY: bus } })
    const { code, stdout, stderr } = await pool.ended
    expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' })
    const shares = [...stdout.matchAll(/^thread-\d+: (\d+) ranges$/gm)].map(([, ranges]) => Number(ranges))
    expect(shares).to.have.length.of.at.least(2)
    expect(Math.min(...shares)).to.be.greaterThan(0)
    expect(shares.reduce((sum, share) => sum + share, 0)).to.equal(50)
    // https://oeis.org/A006880
    expect(stdout).to.match(/\nprimes below 1000000: 78498\n$/)
    expect(readdirSync(join(bus, 'worker-pool'))).to.deep.equal([])
  })
})
