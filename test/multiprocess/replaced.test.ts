import { expect } from 'chai'
import { programs } from '../support/program'
import { temporaryDirectory } from '../support/temporary-directory'

describe('a process that can load no more modules', function () {
  this.timeout(20_000)
  const run = programs()
  const directory = temporaryDirectory()

  it('sends and receives payloads of every size, also to a reader that stops for a moment', async () => {
    const { code, stdout, stderr } = await run('test/multiprocess/replaced.ts', [directory.path]).ended
    expect(stderr).to.equal('')
    expect(stdout).to.equal('120 events, 12 answers')
    expect(code).to.equal(0)
  })
})
