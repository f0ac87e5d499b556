import { setImmediate as turn } from 'node:timers/promises'
import { expect } from 'chai'
import { freshBus } from '../support/bus'
import { HeldTimers } from '../support/held-timers'
import { rawPeers } from '../support/raw-peer'

const LATER = 50_000

describe('An endpoint whose process was stopped until a timer was due', () => {
  const bus = freshBus()
  const connectPeer = rawPeers().connect

  it('takes the response that has arrived meanwhile', async () => {
    const timers = new HeldTimers(LATER)
    const asker = await bus.startBy(timers, 'asker')
    const peer = await connectPeer(asker)
    await peer.want({ type: 'ask', responds: true })
    const answer = asker.request('ask', 1, { timeout: LATER })
    const { id } = await peer.hears('request')
    await timers.goOffAfterStall(() => peer.say({ kind: 'response', id, payload: 'in time' }))
    expect(await answer).to.equal('in time')
  })

  it('asks the responder that has turned up meanwhile', async () => {
    const timers = new HeldTimers(LATER)
    const asker = await bus.startBy(timers, 'asker')
    const peer = await connectPeer(asker)
    const answer = asker.request('ask', 1, { wait: LATER, timeout: 2 * LATER })
    await timers.goOffAfterStall(() => {
      peer.say({ kind: 'subscribe', sequence: 1, interests: [{ type: 'ask', responds: true }] })
    })
    const request = peer.hears('request').then(({ id }) => peer.say({ kind: 'response', id, payload: 'here' }))
    expect(await answer).to.equal('here')
    await request
  })

  it('finds a peer responsive that has answered meanwhile', async () => {
    const timers = new HeldTimers(LATER)
    const endpoint = await bus.startBy(timers, 'endpoint', { limits: { pingInterval: LATER, silentPings: 1 } })
    const peer = await connectPeer(endpoint)
    const unresponsive: string[] = []
    endpoint.on('unresponsive', ({ name }) => unresponsive.push(name))
    const check = async () => {
      timers.goOff()
      await turn()
    }
    await check()
    await check()
    await peer.hears('ping')
    await timers.goOffAfterStall(() => peer.say({ kind: 'pong' }))
    await turn()
    expect(unresponsive).to.deep.equal([])
    for (let silent = 0; silent < 3; silent++) await check()
    expect(unresponsive).to.deep.equal(['raw'])
  })
})
