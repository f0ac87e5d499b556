import { expect } from 'chai'
import { programs } from '../support/program'
import { temporaryDirectory } from '../support/temporary-directory'

describe('a process that joins a bus', () => {
  if (process.platform !== 'linux') return console.log('    not tested here: there is no /proc')
  const run = programs()
  const directory = temporaryDirectory()

  it('has no more threads than before', async () => {
    const { code, stdout, stderr } = await run('test/multiprocess/newcomer.ts', [directory.path]).ended
    expect(code, stderr).to.equal(0)
    const [before, after] = JSON.parse(stdout)
    expect(after).to.equal(before)
  })
})
