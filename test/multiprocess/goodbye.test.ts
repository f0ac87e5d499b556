import { expect } from 'chai'
import { useBus } from './bus'
import { consumption } from './fault-procedures'
import { expectNumbers } from './numbers'

const EVENTS = 10_000

/** Bytes in each of them beside its number. */
const FILLER = 100

describe('close() in another process', () => {
  const bus = useBus()

  it('G12: delivers all earlier broadcasts, then peers emit left, and no file remains', async () => {
    const listeners = [await bus.start('one'), await bus.start('two')]
    for (const listener of listeners) await listener.subscribe('tick')
    const leaver = await bus.start('leaver')

    // It reads nothing until the close has begun, and the kernel's buffers are too small for all events.
    listeners[0]?.process.stop()
    const closed = Promise.all([leaver.broadcastNowait('tick', EVENTS, FILLER), leaver.close()])
    await listeners[1]?.untilNotice('left', 'leaver')
    expect(await bus.published(), 'its name is held until all have its goodbye').to.include('leaver')
    listeners[0]?.process.continue()
    await closed
    expect(await bus.published()).to.deep.equal(['one', 'two'])

    for (const listener of listeners) {
      await listener.untilNotice('left', 'leaver')
      expectNumbers(await listener.received('tick'), 'leaver', EVENTS)
      const [left, ...others] = (await listener.notices()).filter(
        ({ peer, kind }) => peer === 'leaver' && kind !== 'joined',
      )
      expect(left).to.include({ kind: 'left', receivedBefore: EVENTS })
      expect(others).to.deep.equal([])
      expect(await listener.isConnectedTo('leaver')).to.equal(false)
    }
  })

  it('G5: emits lost for a peer that dies with unread events', async () => {
    const [dying, other] = [await bus.start('dying'), await bus.start('other')]
    await dying.subscribe('tick')
    const leaver = await bus.start('leaver')
    await leaver.waitUntilConnectedTo('dying')
    await leaver.waitUntilConnectedTo('other')

    dying.process.stop()
    await leaver.broadcastNowait('tick', 10)
    const closed = leaver.close()
    await other.untilNotice('left', 'leaver')
    dying.process.kill()
    await closed
    await leaver.untilNotice('lost', 'dying')
    const [lost] = (await leaver.notices()).filter(({ kind }) => kind === 'lost')
    expect(lost).to.include({ cause: 'LAHJA_CONNECTION_FAILED' })
  })

  it('G12: leaves nothing behind that keeps the process alive', async () => {
    const peer = await bus.start('peer')
    await peer.subscribe('tick')
    const process = await bus.processes.participant()
    const before = await process.call(consumption, undefined)
    const leaver = await bus.startIn(process, 'leaver')
    await leaver.subscribe('tick')
    await leaver.broadcast('tick', 100)
    await leaver.close()

    // A timer would only delay the exit, so it is checked apart.
    const isTimer = (resource: string) => resource === 'Timeout'
    const after = await process.call(consumption, undefined)
    expect(after.resources.filter(isTimer)).to.deep.equal(before.resources.filter(isTimer))
    await process.release()

    expect(await process.exit).to.deep.equal({ code: 0, signal: null })
    expect(await bus.published()).to.deep.equal(['peer'])
  })

  it('lets a process exit that only its endpoint kept alive', async () => {
    const peer = await bus.start('peer')
    await peer.subscribe('tick')
    const leaver = await bus.start('leaver')
    await leaver.subscribe('tick')
    await leaver.closeOn('stop')
    await leaver.process.release()
    // Without the endpoint it would have exited at the end of its turn.
    expect(await peer.broadcast('tick')).to.equal(2)
    expect(await peer.isConnectedTo('leaver')).to.equal(true)

    await peer.broadcast('stop')

    expect(await leaver.process.exit).to.deep.equal({ code: 0, signal: null })
    await peer.untilNotice('left', 'leaver')
    expect(await bus.published()).to.deep.equal(['peer'])
  })
})
