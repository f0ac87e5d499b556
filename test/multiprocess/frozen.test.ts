import { expect } from 'chai'
import { programs } from '../support/program'
import { temporaryDirectory } from '../support/temporary-directory'

describe('a process whose prototypes are frozen', function () {
  this.timeout(20_000)
  const run = programs()
  const directory = temporaryDirectory()

  it('sends and receives payloads with keys that these have, and failures', async () => {
    const { code, stdout, stderr } = await run('test/multiprocess/frozen.ts', [directory.path]).ended
    expect(stderr).to.equal('')
    expect(stdout).to.equal('3 events, 3 answers, failed on purpose')
    expect(code).to.equal(0)
  })
})
