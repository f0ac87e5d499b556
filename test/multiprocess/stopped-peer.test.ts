import { expect } from 'chai'
import { useBus } from './bus'

describe('a stopped peer', () => {
  const bus = useBus()

  it('delays a start at most until the handshake deadline, and is linked when it continues', async () => {
    const stopped = await bus.start('stopped')
    const running = await bus.start('running')
    await running.waitUntilConnectedTo('stopped')
    const process = await bus.processes.participant()

    // It does not continue before the start is over.
    stopped.process.stop()
    const starter = await bus.startIn(process, 'starter', { limits: { handshakeTimeout: 500 } })

    await starter.waitUntilConnectedTo('running')
    expect((await starter.peers()).map(({ name }) => name)).to.deep.equal(['running'])
    expect(await starter.isConnectedTo('stopped')).to.equal(false)

    stopped.process.continue()
    await starter.waitUntilConnectedTo('stopped')
    await starter.subscribe('tick')
    expect(await stopped.broadcast('tick')).to.equal(1)
    await starter.untilReceived('tick', 1)
  })

  it('G13: is not lost, and receives the events broadcast meanwhile', async () => {
    const stopped = await bus.start('stopped')
    await stopped.subscribe('tick')
    const sender = await bus.start('sender', { limits: { pingInterval: 20, silentPings: 2 } })

    stopped.process.stop()
    await sender.broadcast('tick', 100)
    await sender.untilNotice('unresponsive', 'stopped')
    expect(await sender.isConnectedTo('stopped')).to.equal(true)
    stopped.process.continue()

    await sender.untilNotice('recovered', 'stopped')
    await stopped.untilReceived('tick', 100)
    expect((await sender.notices()).map(({ kind }) => kind)).to.not.include('lost')
  })
})
