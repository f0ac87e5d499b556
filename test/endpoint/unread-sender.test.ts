import { expect } from 'chai'
import { freshBus, until } from '../support/bus'
import { HeldHandler } from '../support/held-handler'
import { join, numbers } from '../support/members'
import { rawPeers } from '../support/raw-peer'

describe('A queue member whose sender does not read', () => {
  const bus = freshBus()
  const connectPeer = rawPeers().connect

  /** A member with events of a sender that can't be told any more that they begin. */
  async function blocked() {
    const { b, c } = await bus.startAll('b', 'c')
    const held = new HeldHandler()
    const { subscription, got } = await join(b, 'job', { queue: 'workers', prefetch: 5 }, held.handle)
    const peer = await connectPeer(b)
    await peer.want({ type: 'flood' })
    const [member = -1] = [...peer.heardOf('subscribe')].flatMap(({ interests }) =>
      interests.map((each) => each.member),
    )
    const job = { kind: 'give', member, type: 'job', isFixed: false } as const
    for (const number of [1, 2, 3]) peer.say({ ...job, number, payload: `raw ${number}` })
    await until(() => subscription.pending === 3)
    peer.pause()
    for (const _ of numbers(15)) b.broadcastNowait('flood', Buffer.alloc(60_000))
    return { b, c, held, subscription, got, peer }
  }

  it('handles the events of other senders', async () => {
    const { c, held, got, peer } = await blocked()
    for (const n of numbers(20)) c.broadcastNowait('job', n)
    held.release()
    await until(() => got.length === 21)
    expect(got).to.deep.equal(['raw 1', ...numbers(20)])
    peer.resume()
    await until(() => got.length === 23)
    expect(got.slice(-2)).to.deep.equal(['raw 2', 'raw 3'])
  })

  it('handles nothing that its sender gives to others, as the link broke', async () => {
    const { c, held, got, peer, subscription } = await blocked()
    held.release()
    await until(() => held.ended.length === 1)
    peer.destroy()
    await until(() => subscription.pending === 0)
    c.broadcastNowait('job', 1)
    await until(() => got.length === 2)
    expect(got).to.deep.equal(['raw 1', 1])
  })

  it('returns what its sender could not be told of when it unsubscribes', async () => {
    const { held, got, peer, subscription } = await blocked()
    held.release()
    await until(() => held.ended.length === 1)
    subscription.unsubscribe()
    peer.resume()
    const returned = () => peer.heardOf('progress').flatMap((progress) => progress.returned)
    await until(() => returned().length === 4)
    expect(got).to.deep.equal(['raw 1'])
    expect(returned()).to.have.members([2, 3, 1, 1])
  })
})
