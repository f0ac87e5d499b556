import { expect } from 'chai'
import fc from 'fast-check'
import { ReceiveWindow } from '../../src/channel/receive-window'
import { ProtocolViolation } from '../../src/model/errors'
import { ManualClock } from '../support/manual-clock'

describe('Intake', () => {
  let clock: ManualClock
  let given: [bytes: number, events: number][]
  let receiveWindow: ReceiveWindow

  beforeEach(() => {
    clock = new ManualClock()
    given = []
    receiveWindow = new ReceiveWindow(1000, clock, (bytes, events) => given.push([bytes, events]))
  })

  function pass(bytes: number): void {
    receiveWindow.begin(bytes)
    receiveWindow.end()
  }

  function keep(bytes: number) {
    receiveWindow.begin(bytes)
    const receipt = receiveWindow.hold()
    receiveWindow.end()
    return receipt
  }

  it('gives credit in batches of half the window, for what nobody holds', () => {
    for (let count = 0; count < 4; count++) pass(100)
    expect(given).to.deep.equal([])
    pass(100)
    expect(given).to.deep.equal([[500, 5]])
    pass(600)
    expect(given).to.deep.equal([
      [500, 5],
      [600, 1],
    ])
  })

  it('lets a sender cross the mark with one frame, and refuses the next (G7)', () => {
    keep(999)
    keep(5000)
    expect(() => receiveWindow.begin(1))
      .to.throw(ProtocolViolation, 'used up: 5999 bytes without credit')
      .with.property('reason', 'window-exceeded')
  })

  it('refuses another event where the window is used up exactly (G7)', () => {
    keep(1000)
    expect(() => receiveWindow.begin(1)).to.throw(ProtocolViolation)
  })

  it('keeps an event on the account until everyone who holds it is done with it', () => {
    receiveWindow.begin(1000)
    const receipts = [receiveWindow.hold(), receiveWindow.hold(), receiveWindow.hold()]
    receiveWindow.end()
    receipts[2]?.done()
    receipts[0]?.release()
    clock.turn()
    expect(given).to.deep.equal([])
    receipts[1]?.done()
    expect(given).to.deep.equal([[1000, 1]])
  })

  it('keeps an event on the account although one is done with it before the next one holds it (G7)', () => {
    receiveWindow.begin(1000)
    receiveWindow.hold().done()
    const second = receiveWindow.hold()
    receiveWindow.end()
    clock.turn()
    expect(given).to.deep.equal([])
    second.done()
    expect(given).to.deep.equal([[1000, 1]])
  })

  it('gives an event back once, although each of several is done with it before the next one holds it', () => {
    receiveWindow.begin(600)
    for (let holder = 0; holder < 3; holder++) receiveWindow.hold().done()
    receiveWindow.end()
    clock.turn()
    expect(given).to.deep.equal([[600, 1]])
  })

  it('gives less than a batch, once a turn, where the sender can do nothing without it', () => {
    const small = [keep(10), keep(20)]
    keep(980)
    for (const receipt of small) receipt.done()
    expect(given).to.deep.equal([])
    clock.turn()
    expect(given).to.deep.equal([[30, 2]])
    clock.turn()
    expect(given).to.have.length(1)
  })

  it('gives at the end of the turn what was done with before the window was used up', () => {
    pass(400)
    keep(600)
    expect(given).to.deep.equal([])
    clock.turn()
    expect(given).to.deep.equal([[400, 1]])
  })

  it('gives nothing where nothing is done with', () => {
    keep(2000)
    clock.turn()
    expect(given).to.deep.equal([])
  })

  it('never leaves a sender that waits for credit without it, and gives exactly what it got (G7)', () => {
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
