import { expect } from 'chai'
import { programs } from '../support/program'
import { temporaryDirectory } from '../support/temporary-directory'

// Each runs in its own process, since it may block forever.
describe('a directory that cannot be created', function () {
  if (process.platform !== 'linux') return console.log('    not tested here: there is no /proc')
  this.timeout(20_000)
  const run = programs()
  const directory = temporaryDirectory()

  it('rejects the start', async () => {
    const { code, stdout } = await run('test/multiprocess/placeless.ts', ['/proc/self/bus']).ended
    expect(stdout).to.equal('LAHJA_DIRECTORY_REFUSED')
    expect(code).to.equal(0)
  })

  it('is reported when the directory disappears later, and close() still ends the endpoint', async () => {
    const { code, stdout } = await run('test/multiprocess/orphan.ts', [directory.path]).ended
    expect(stdout).to.equal('LAHJA_DIRECTORY_REFUSED')
    expect(code).to.equal(0)
  })
})
