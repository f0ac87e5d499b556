import { expect } from 'chai'
import fc from 'fast-check'
import { Inbound } from '../../src/channel/inbound'
import { type Receipt, ReceiveWindow } from '../../src/channel/receive-window'
import { ProtocolViolation } from '../../src/model/errors'
import { encodeMessage } from '../../src/wire/codec'
import { EventEncoder } from '../../src/wire/event-encoder'
import type { Frame } from '../../src/wire/frame'
import type { Message } from '../../src/wire/message'
import { ManualClock } from '../support/manual-clock'

const encoder = new EventEncoder(1 << 20)
const bytesOf = ({ bytes, start, end }: Frame) => Buffer.from(bytes.subarray(start, end))
const event = (payload: unknown) => bytesOf(encoder.event('e', payload))
const said = (message: Message) => bytesOf(encodeMessage(message))
const assign = (payload: unknown) => said({ kind: 'assign', queue: 'q', type: 'e', isFixed: false, payload })

function inboundWith({ window = 1 << 20, limit = 1 << 20, takesEvents = true, holds = false } = {}) {
  const clock = new ManualClock()
  const given: [bytes: number, events: number][] = []
  const got: unknown[] = []
  const receipts: Receipt[] = []
  const receiveWindow = new ReceiveWindow(window, clock, (bytes, events) => given.push([bytes, events]))
  const take = (what: unknown) => {
    got.push(what)
    if (holds) receipts.push(receiveWindow.hold())
  }
  const inbound = new Inbound(limit, takesEvents, receiveWindow, {
    event: (type, payload) => take([type, payload]),
    message: (message) => (message.kind === 'assign' ? take(message) : got.push(message)),
  })
  return { inbound, clock, given, got, receipts }
}

describe('Inbound', () => {
  it('delivers events and messages in order, however the bytes are cut', () => {
    const stream = Buffer.concat([event(1), said({ kind: 'gap', count: 3 }), event('two'), assign(3), event(undefined)])
    const expected = [
      ['e', 1],
      { kind: 'gap', count: 3 },
      ['e', 'two'],
      { kind: 'assign', queue: 'q', type: 'e', isFixed: false, payload: 3 },
      ['e', undefined],
    ]
    fc.assert(
      fc.property(fc.array(fc.nat(stream.length), { maxLength: 10 }), (cuts) => {
        const { inbound, got } = inboundWith()
        const places = [0, ...cuts.sort((one, other) => one - other), stream.length]
        places.slice(1).forEach((end, index) => {
          inbound.push(stream.subarray(places[index], end))
        })
        expect(got).to.deep.equal(expected)
        expect(inbound.heldBytes).to.equal(0)
      }),
    )
  })

  it('keeps nothing of a chunk with a violation, as the next one may use the same memory', () => {
    const cutShort = Buffer.from([...event('first'), 0, 0, 0, 0])
    expect(() => inboundWith().inbound.push(cutShort)).to.throw(ProtocolViolation)
    event('other').copy(cutShort)
    cutShort.writeUInt32BE(1 << 10, cutShort.length - 4)
    const { inbound, got } = inboundWith()
    inbound.push(cutShort)
    expect(got).to.deep.equal([['e', 'other']])
  })

  it('charges events and assignments with all their bytes, and nothing else (G7)', () => {
    const { inbound, given } = inboundWith({ window: 1 })
    const ping = said({ kind: 'ping' })
    for (const bytes of [event('abc'), ping, assign('abc'), said({ kind: 'gap', count: 1 }), ping]) inbound.push(bytes)
    expect(given).to.deep.equal([
      [event('abc').length, 1],
      [assign('abc').length, 1],
    ])
  })

  it('charges an event that is not encoded in the shortest form (G7)', () => {
    const { inbound, given, got } = inboundWith({ window: 1 })
    const body = Buffer.concat([Buffer.from([0xdc, 0, 3, 5, 0xa1]), Buffer.from('e'), Buffer.from([7])])
    const frame = Buffer.concat([Buffer.from([0, 0, 0, body.length]), body])
    inbound.push(frame)
    expect(got).to.deep.equal([{ kind: 'event', type: 'e', payload: 7 }])
    expect(given).to.deep.equal([[frame.length, 1]])
  })

  it('refuses events when the window is used up, and accepts control messages (G7)', () => {
    const { inbound, got, receipts, clock } = inboundWith({ window: 10, holds: true })
    inbound.push(event(Buffer.alloc(10)))
    inbound.push(said({ kind: 'ping' }))
    for (const frame of [event(1), assign(1)]) {
      expect(() => inbound.push(frame))
        .to.throw(ProtocolViolation)
        .with.property('reason', 'window-exceeded')
    }
    expect(got).to.have.length(2)
    receipts[0]?.done()
    clock.turn()
    inbound.push(event(2))
    expect(got[2]).to.deep.equal(['e', 2])
  })

  it('leaves events that come too early to its owner, uncharged', () => {
    const { inbound, got, given } = inboundWith({ window: 1, takesEvents: false })
    inbound.push(event(1))
    expect(got).to.deep.equal([{ kind: 'event', type: 'e', payload: 1 }])
    expect(given).to.deep.equal([])
    inbound.takesEvents = true
    inbound.push(event(2))
    expect(got[1]).to.deep.equal(['e', 2])
    expect(given).to.have.length(1)
  })

  it('delivers nothing more once it is stopped, not even from the chunk that is being read', () => {
    const got: unknown[] = []
    const inbound: Inbound = new Inbound(1000, true, new ReceiveWindow(1000, new ManualClock(), () => {}), {
      event: (_type, payload) => {
        got.push(payload)
        inbound.stop()
      },
      message: () => {},
    })
    inbound.push(Buffer.concat([event(1), event(2)]))
    inbound.push(event(3))
    expect(got).to.deep.equal([1])
  })

  it('refuses frames over its limit, and accepts them once the limit is raised', () => {
    const { inbound, got } = inboundWith({ limit: 20 })
    const large = event(Buffer.alloc(100))
    expect(() => inbound.push(large))
      .to.throw(ProtocolViolation)
      .with.property('reason', 'frame-too-large')
    inbound.limit = 200
    inbound.push(large)
    expect(got).to.have.length(1)
  })

  it('charges nothing that is not msgpack', () => {
    const { inbound, given } = inboundWith({ window: 1 })
    const broken = event([1])
    broken[broken.length - 1] = 0xd9
    expect(() => inbound.push(broken)).to.throw(ProtocolViolation)
    inbound.push(event(1))
    expect(given).to.deep.equal([[event(1).length, 1]])
  })
})
