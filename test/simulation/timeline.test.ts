import { expect } from 'chai'
import { Timeline } from './timeline'

describe('the timeline', () => {
  it('calls what is due in order, and then is at the time up to which it was to run', async () => {
    const timeline = new Timeline()
    const calls: string[] = []
    for (const delay of [3, 1, 1, 7]) timeline.after(delay, () => calls.push(`${delay} at ${timeline.now}`))
    await timeline.runUntil(5)
    expect(calls).to.deep.equal(['1 at 1', '1 at 1', '3 at 3'])
    expect(timeline.now).to.equal(5)
  })

  it('gives up when calls lead to more calls for ever and time stands still', async () => {
    const timeline = new Timeline()
    const again = () => void timeline.after(0, again)
    timeline.after(1, again)
    const error: unknown = await timeline.runUntil(5).catch((error) => error)
    expect(error).to.be.instanceOf(Error).and.have.property('message').that.contains('stands still at 1 ms')
  })
})
