import { expect } from 'chai'
import { specimens } from './corpus'
import type { Finding } from './finding'
import { fuzz, replay } from './fuzzer'

/** So that it takes few seconds; `npm run fuzz` goes on for as long as it is told to. */
const CASES = 2000

describe('a link with a fuzzed peer', () => {
  it('goes on or ends with a known reason for each stream of the corpus', async () => {
    for (const { name, bytes } of specimens()) {
      await replay(bytes).catch((error) => expect.fail(`${name}: ${error.message}`))
    }
  })

  it(`goes on or ends with a known reason for ${CASES} mutated streams`, async () => {
    const findings: string[] = []
    const found = (finding: Finding, stream: Buffer) => findings.push(`${finding.message}: ${stream.toString('hex')}`)
    expect(await fuzz({ seed: 1, goesOn: (cases) => cases < CASES, found })).to.equal(CASES)
    expect(findings).to.deep.equal([])
  })
})
