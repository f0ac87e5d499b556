import { expect } from 'chai'
import fc from 'fast-check'
import { ReceiveWindow } from '../../src/channel/receive-window'
import { ProtocolViolation } from '../../src/model/errors'
import { ManualClock } from '../support/manual-clock'

describe('ReceiveWindow', () => {
  let clock: ManualClock
  let granted: [bytes: number, events: number][]
  let receiveWindow: ReceiveWindow

  beforeEach(() => {
    clock = new ManualClock()
    granted = []
    receiveWindow = new ReceiveWindow(1000, clock, (bytes, events) => granted.push([bytes, events]))
  })

  function deliver(bytes: number): void {
    receiveWindow.begin(bytes)
    receiveWindow.end()
  }

  function keep(bytes: number) {
    receiveWindow.begin(bytes)
    const receipt = receiveWindow.hold()
    receiveWindow.end()
    return receipt
  }

  it('grants credit in batches of half the window, for events without holders', () => {
    for (let count = 0; count < 4; count++) deliver(100)
    expect(granted).to.deep.equal([])
    deliver(100)
    expect(granted).to.deep.equal([[500, 5]])
    deliver(600)
    expect(granted).to.deep.equal([
      [500, 5],
      [600, 1],
    ])
  })

  it('accepts one frame that exceeds the window, and refuses the next (G7)', () => {
    keep(999)
    keep(5000)
    expect(() => receiveWindow.begin(1))
      .to.throw(ProtocolViolation, '5999 bytes without credit in a window of 1000')
      .with.property('reason', 'window-exceeded')
  })

  it('refuses another event when the window is used up exactly (G7)', () => {
    keep(1000)
    expect(() => receiveWindow.begin(1)).to.throw(ProtocolViolation)
  })

  it('keeps an event charged until all its holders are done', () => {
    receiveWindow.begin(1000)
    const receipts = [receiveWindow.hold(), receiveWindow.hold(), receiveWindow.hold()]
    receiveWindow.end()
    receipts[2]?.done()
    receipts[0]?.release()
    clock.turn()
    expect(granted).to.deep.equal([])
    receipts[1]?.done()
    expect(granted).to.deep.equal([[1000, 1]])
  })

  it('keeps an event charged if one holder is done before the next one holds it (G7)', () => {
    receiveWindow.begin(1000)
    receiveWindow.hold().done()
    const second = receiveWindow.hold()
    receiveWindow.end()
    clock.turn()
    expect(granted).to.deep.equal([])
    second.done()
    expect(granted).to.deep.equal([[1000, 1]])
  })

  it('grants an event once if each holder is done before the next one holds it', () => {
    receiveWindow.begin(600)
    for (let holder = 0; holder < 3; holder++) receiveWindow.hold().done()
    receiveWindow.end()
    clock.turn()
    expect(granted).to.deep.equal([[600, 1]])
  })

  it('grants less than a batch at the end of the turn if the window is used up', () => {
    const small = [keep(10), keep(20)]
    keep(980)
    for (const receipt of small) receipt.done()
    expect(granted).to.deep.equal([])
    clock.turn()
    expect(granted).to.deep.equal([[30, 2]])
    clock.turn()
    expect(granted).to.have.length(1)
  })

  it('grants at the end of the turn what was done before the window was used up', () => {
    deliver(400)
    keep(600)
    expect(granted).to.deep.equal([])
    clock.turn()
    expect(granted).to.deep.equal([[400, 1]])
  })

  it('grants nothing while nothing is done', () => {
    keep(2000)
    clock.turn()
    expect(granted).to.deep.equal([])
  })

  it('grants nothing after finish but events whose sender is told what became of them, and nothing after stop', () => {
    const [plain, assigned, late] = [false, true, true].map((isAssigned) => {
      receiveWindow.begin(10)
      const receipt = receiveWindow.hold(isAssigned)
      receiveWindow.end()
      return receipt
    })
    receiveWindow.finish()
    plain?.done()
    assigned?.done()
    clock.turn()
    expect(granted).to.deep.equal([[10, 1]])
    receiveWindow.stop()
    late?.done()
    clock.turn()
    expect(granted).to.deep.equal([[10, 1]])
  })

  it('never leaves a sender stuck, and grants exactly what it has received (G7)', () => {
    const step = fc.oneof(fc.record({ bytes: fc.integer({ min: 1, max: 1500 }), holders: fc.nat(3) }), fc.nat(50))
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80, size: 'max' }), (steps) => {
        const clock = new ManualClock()
        let [ahead, arrived, credited, events] = [0, 0, 0, 0]
        const receiveWindow = new ReceiveWindow(1000, clock, (bytes, count) => {
          ahead -= bytes
          credited += bytes
          events -= count
        })
        const receipts: ReturnType<ReceiveWindow['hold']>[] = []
        for (const action of steps) {
          if (typeof action === 'number') receipts.splice(action % Math.max(receipts.length, 1), 1)[0]?.done()
          else if (ahead < 1000) {
            const { bytes, holders } = action
            ahead += bytes
            arrived += bytes
            events++
            receiveWindow.begin(bytes)
            for (let holder = 0; holder < holders; holder++) receipts.push(receiveWindow.hold())
            receiveWindow.end()
          }
          clock.turn()
          expect(credited).to.be.within(0, arrived)
          expect(receipts.length > 0 || ahead < 1000, 'a sender is stuck').to.equal(true)
        }
        for (const receipt of receipts) receipt.done()
        clock.turn()
        expect(ahead).to.be.within(0, 999)
        expect(events).to.be.at.least(0)
      }),
    )
  })
})
