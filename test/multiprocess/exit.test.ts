import { expect } from 'chai'
import { useBus } from './bus'
import { broadcastAndExit } from './fault-procedures'
import type { RemoteEndpoint } from './remote-endpoint'
import { until } from './until'

describe('process.exit() right after a broadcast', () => {
  const bus = useBus()
  const limits = { frameBytes: 64 * 1024 * 1024, outboxBytes: 128 * 1024 * 1024 }
  let listeners: RemoteEndpoint[]
  let sender: RemoteEndpoint

  beforeEach(async () => {
    listeners = [await bus.start('one', { limits }), await bus.start('two', { limits })]
    for (const listener of listeners) await listener.subscribe('tick')
    sender = await bus.start('sender', { limits })
  })

  /** Resolves with the causes of the loss on all listeners. */
  async function expectExit(filler: number): Promise<string[]> {
    sender.process.call(broadcastAndExit, [sender.name, { type: 'tick', filler }]).catch(() => {})
    expect(await sender.process.exit).to.deep.equal({ code: 7, signal: null })
    for (const listener of listeners) await listener.untilNotice('lost', 'sender')
    await until(async () => (await bus.published()).join() === 'one,two')
    const notices = (await Promise.all(listeners.map((listener) => listener.notices()))).flat()
    expect(notices.map(({ kind }) => kind)).to.not.include('left')
    expect(notices.filter(({ kind }) => kind === 'error')).to.deep.equal([])
    return notices.filter(({ kind }) => kind === 'lost').map(({ cause }) => cause)
  }

  it('G1: delivers no part of a half-sent event, and lets the others lose the peer and remove its file', async () => {
    expect(await expectExit(8 * 1024 * 1024)).to.deep.equal(['LAHJA_CONNECTION_FAILED', 'LAHJA_CONNECTION_FAILED'])
    for (const listener of listeners) expect(await listener.received('tick')).to.deep.equal([])
  })

  it('G1: delivers an event that fits into kernel buffers whole or not at all', async () => {
    await expectExit(10)
    for (const listener of listeners) {
      const received = await listener.received('tick')
      expect(received.length).to.be.below(2)
      for (const event of received) expect(event).to.deep.equal({ origin: 'sender', number: 0 })
    }
  })
})
