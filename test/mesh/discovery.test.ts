import { chmodSync } from 'node:fs'
import { expect } from 'chai'
import { freshBus, until } from '../support/bus'
import { codesOf, reportsOf } from '../support/reports'

describe('a running endpoint', () => {
  const bus = freshBus()

  it('reports that its directory has been opened to others, once for each change, and keeps its links', async () => {
    const a = await bus.start('a', { limits: { rescanInterval: 5 } })
    const b = await bus.start('b', { limits: { rescanInterval: 5 } })
    const reports = reportsOf(a)
    chmodSync(bus.directory, 0o755)
    await until(() => reports.length === 1)
    expect(reports[0]?.message).to.contain(bus.directory).and.contain('has mode 0755, which lets other users in')
    chmodSync(bus.directory, 0o777)
    await until(() => reports.length === 2)
    expect(reports[1]?.message).to.contain('has mode 0777')
    expect(a.isConnectedTo('b')).to.equal(true)
    chmodSync(bus.directory, 0o700)
    await b.close()
    const c = await bus.start('c')
    await a.waitUntilConnectedTo('c')
    await c.close()
    expect(codesOf(reports)).to.deep.equal(['LAHJA_DIRECTORY_REFUSED', 'LAHJA_DIRECTORY_REFUSED'])
  })
})
