import { expect } from 'chai'
import { programs } from '../support/program'
import { temporaryDirectory } from '../support/temporary-directory'

// Each in a process of its own, as it may stand still for good.
describe('a place in which no directory can be created, though the one above is there', function () {
  if (process.platform !== 'linux') return console.log('    not tested here: there is no /proc')
  this.timeout(20_000)
  const run = programs()
  const directory = temporaryDirectory()

  it('is refused at the start', async () => {
    const { code, stdout } = await run('test/multiprocess/placeless.ts', ['/proc/self/bus']).ended
    expect(stdout).to.equal('LAHJA_DIRECTORY_REFUSED')
    expect(code).to.equal(0)
  })

  it('is reported when the bus has come to be there, and close() ends it', async () => {
    const { code, stdout } = await run('test/multiprocess/orphan.ts', [directory.path]).ended
    expect(stdout).to.equal('LAHJA_DIRECTORY_REFUSED')
    expect(code).to.equal(0)
  })
})
