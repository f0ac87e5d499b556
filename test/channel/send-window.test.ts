import { expect } from 'chai'
import fc from 'fast-check'
import { type Gap, SendWindow, type Sent } from '../../src/channel/send-window'
import { heapUsed } from '../support/garbage'

/** One event of a byte. */
const EVENT: Sent = { bytes: 1, events: 1, gaps: [] }

/** One event that was dropped. */
const DROPPED: Sent = { bytes: 0, events: 0, gaps: [{ after: 0, count: 1 }] }

describe('SendWindow', () => {
  it('takes no more memory for each further event that is dropped behind the same one', () => {
    const sendWindow = new SendWindow()
    sendWindow.spend(EVENT)
    const before = heapUsed()
    for (let count = 0; count < 100_000; count++) sendWindow.spend(DROPPED)
    expect(heapUsed() - before).to.be.below(500_000)
    expect(sendWindow.unconfirmed).to.equal(100_001)
    sendWindow.credit(1, 1)
    expect(sendWindow.unconfirmed, 'dropped behind the acknowledged event').to.equal(100_000)
  })

  it('takes linear time for credit that confirms many gaps, together or one by one', function () {
    this.timeout(4000)
    for (const events of [1, 400_000]) {
      const sendWindow = new SendWindow()
      for (let count = 0; count < 400_000; count++) {
        sendWindow.spend(DROPPED)
        sendWindow.spend(EVENT)
      }
      for (let credited = 0; credited < 400_000; credited += events) sendWindow.credit(events, events)
      expect(sendWindow.unconfirmed).to.equal(0)
    }
  })

  it('counts what the peer may not know of, whatever is sent, refunded and credited (G5)', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('send' as const), gaps: fc.array(fc.nat(2), { maxLength: 3 }) }),
      fc.record({ kind: fc.constant('refund' as const) }),
      fc.record({ kind: fc.constant('credit' as const), events: fc.integer({ min: 1, max: 5 }) }),
      fc.record({ kind: fc.constant('confirm' as const) }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40, size: 'max' }), (steps) => {
        const sendWindow = new SendWindow()
        /** What was sent and is not known to be read: each an event, or one that was dropped. */
        let model: ('event' | 'dropped')[] = []
        let last: Sent | undefined
        for (const action of steps) {
          if (action.kind === 'send') {
            last = sliceOf(action.gaps)
            sendWindow.spend(last)
            for (const gap of action.gaps) model.push(...Array<'dropped'>(gap).fill('dropped'), 'event')
          } else if (action.kind === 'refund') {
            // Only what has just been sent can be taken back.
            if (!last) continue
            const dropped = last.gaps.reduce((sum, { count }) => sum + count, 0)
            expect(sendWindow.refund(last)).to.equal(dropped)
            model = model.slice(0, model.length - dropped - last.events)
            last = undefined
          } else if (action.kind === 'credit') {
            last = undefined
            sendWindow.credit(action.events, action.events)
            for (let left = action.events; left > 0 && model.includes('event'); left--) {
              model = model.slice(model.indexOf('event') + 1)
            }
          } else {
            last = undefined
            sendWindow.confirmGaps()
            model = model.filter((each) => each === 'event')
          }
          expect(sendWindow.unconfirmed).to.equal(model.length)
        }
      }),
    )
  })
})

/** A slice with an event behind each gap. */
function sliceOf(counts: readonly number[]): Sent {
  const gaps: Gap[] = counts.flatMap((count, after) => (count > 0 ? [{ after, count }] : []))
  return { bytes: counts.length, events: counts.length, gaps }
}
