import { execFileSync } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { useBus } from './bus'
import { watchFailure } from './fault-procedures'

describe('processes without free inotify instances', () => {
  const bus = useBus()
  // The limit is set for a namespace of users, which not every system lets be made.
  if (!canLimit()) return console.log('    not tested here: unshare --user --map-root-user is refused')

  it('G9: are linked with all peers, including those that only a rescan finds', async () => {
    const [first, second] = [await bus.processes.blindParticipant(), await bus.processes.blindParticipant()]
    for (const process of [first, second]) expect(await process.call(watchFailure, bus.directory)).to.equal('EMFILE')
    const limits = { rescanInterval: 300 }
    const hidden = await bus.startIn(first, 'hidden', { limits })
    const observer = await bus.join('observer')
    const [peer] = observer.peers

    await rm(join(bus.directory, `hidden~${peer?.id}.sock`))
    const newcomer = await bus.startIn(second, 'newcomer', { limits })
    await newcomer.waitUntilConnectedTo('hidden')
    await newcomer.subscribe('tick')
    expect(await hidden.broadcast('tick')).to.equal(1)
    await newcomer.untilReceived('tick', 1)
    expect((await hidden.notices()).filter(({ kind }) => kind === 'error')).to.deep.equal([])
  })
})

function canLimit(): boolean {
  try {
    const command = 'echo 0 >/proc/sys/user/max_inotify_instances'
    execFileSync('unshare', ['--user', '--map-root-user', 'sh', '-c', command], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
