import { expect } from 'chai'
import { encodeMessage } from '../../src/wire/codec'
import { heapUsed } from '../support/garbage'
import { LinkFixture, PEER_HELLO } from '../support/link-fixture'

const EVENT = encodeMessage({ kind: 'event', type: 'x', payload: Buffer.alloc(2000) })
const LIMITS = { highWaterMark: 1000, patience: 100, silentPings: 2 }

describe('Link', () => {
  let fixture: LinkFixture

  beforeEach(() => {
    fixture = new LinkFixture({ limits: LIMITS }).connect()
  })

  /** Queues events over the high-water mark for a peer that doesn't read, until patience is used up. */
  function makeLag(): void {
    fixture.isReading = false
    for (let count = 0; count < 2; count++) {
      fixture.link.send(EVENT, { kind: 'dropOldest' })
      fixture.clock.turn()
    }
    void fixture.link.outbox.drained()
    fixture.clock.advance(LIMITS.patience)
  }

  function makeUnresponsive(): void {
    for (let check = 0; check < LIMITS.silentPings + 2; check++) fixture.link.checkLiveness()
  }

  const speak = () => fixture.say({ kind: 'pong' })

  it('is connected while the peer reads and answers', () => {
    speak()
    expect(fixture.link.state).to.equal('connected')
    expect(fixture.paces).to.deep.equal([])
  })

  it('reports a lagging peer as recovered when nothing is queued for it any more', async () => {
    makeLag()
    expect(fixture.paces).to.deep.equal(['lagging: lagging'])
    speak()
    expect(fixture.paces).to.have.length(1)
    await fixture.read()
    expect(fixture.paces.slice(1)).to.deep.equal(['recovered: connected'])
  })

  it('reports an unresponsive peer as responsive and recovered when it speaks', () => {
    makeUnresponsive()
    expect(fixture.paces).to.deep.equal(['unresponsive: unresponsive'])
    fixture.link.checkLiveness()
    speak()
    speak()
    expect(fixture.paces.slice(1)).to.deep.equal(['responsive: connected', 'recovered: connected'])
  })

  it('reports a lagging peer that becomes responsive as recovered only when it has caught up', async () => {
    makeLag()
    makeUnresponsive()
    expect(fixture.paces).to.deep.equal(['lagging: lagging', 'unresponsive: unresponsive'])
    speak()
    expect(fixture.paces.slice(2)).to.deep.equal(['responsive: lagging'])
    await fixture.read()
    expect(fixture.paces.slice(3)).to.deep.equal(['recovered: connected'])
  })

  it('reports a peer that caught up while unresponsive as recovered only when it speaks', async () => {
    makeLag()
    makeUnresponsive()
    await fixture.read()
    expect(fixture.link.state).to.equal('unresponsive')
    expect(fixture.paces).to.have.length(2)
    speak()
    expect(fixture.paces.slice(2)).to.deep.equal(['responsive: connected', 'recovered: connected'])
  })

  it('stays unresponsive when the peer also begins to lag', () => {
    makeUnresponsive()
    makeLag()
    expect(fixture.paces).to.deep.equal(['unresponsive: unresponsive', 'lagging: unresponsive'])
    speak()
    expect(fixture.link.state).to.equal('lagging')
  })

  it('recovers with the credit that lets the last queued events leave, after it has become responsive', () => {
    fixture = new LinkFixture({ limits: LIMITS })
    fixture.connect({ window: 2000 })
    for (let count = 0; count < 2; count++) fixture.link.send(EVENT, { kind: 'dropOldest' })
    fixture.clock.turn()
    void fixture.link.outbox.drained()
    fixture.clock.advance(LIMITS.patience)
    makeUnresponsive()
    fixture.say({ kind: 'credit', bytes: EVENT.end, events: 1 })
    fixture.clock.turn()
    expect(fixture.paces).to.deep.equal([
      'lagging: lagging',
      'unresponsive: unresponsive',
      'responsive: lagging',
      'recovered: connected',
    ])
  })

  it('does not put a stall of the process down to the handshake of its peer', () => {
    fixture = new LinkFixture({ limits: { handshakeTimeout: 100 } })
    fixture.say(PEER_HELLO)
    fixture.link.accept()
    fixture.clock.stall(5000)
    fixture.say({ kind: 'ready' })
    fixture.clock.turn()
    expect(fixture.ending).to.equal(undefined)
    expect(fixture.link.isUp).to.equal(true)
  })

  it('ends if the handshake is not finished by its deadline', () => {
    fixture = new LinkFixture({ limits: { handshakeTimeout: 100 } })
    fixture.say(PEER_HELLO)
    fixture.link.accept()
    fixture.clock.stall(5000)
    fixture.clock.turn()
    expect(fixture.ending).to.have.nested.property('cause.reason', 'handshake-timeout')
  })

  it('pings a silent peer and never ends for its silence', () => {
    for (let check = 0; check < 50; check++) fixture.link.checkLiveness()
    fixture.clock.turn()
    expect(fixture.received.filter(({ kind }) => kind === 'ping')).to.have.length(49)
    expect(fixture.link.isUp).to.equal(true)
  })

  it('keeps one wait for what is queued, however often a peer asks whether that is all (G7)', () => {
    fixture.isReading = false
    fixture.link.send(EVENT, { kind: 'wait' })
    fixture.clock.turn()
    const ask = (sequence: number) => fixture.say({ kind: 'unsubscribe', sequence, interests: [], isLast: true })
    ask(1)
    fixture.received.push = () => 0
    const before = heapUsed()
    for (let sequence = 2; sequence <= 20_000; sequence++) {
      ask(sequence)
      fixture.link.outbox.flushMessages() // What it is told meanwhile is bounded by the outbox.
    }
    expect(heapUsed() - before).to.be.below(2 * 1024 * 1024)
  })

  it('tells a peer that has asked several times whether that is all so for its last question', async () => {
    fixture.isReading = false
    fixture.link.send(EVENT, { kind: 'wait' })
    fixture.clock.turn()
    for (const sequence of [7, 8, 9]) fixture.say({ kind: 'unsubscribe', sequence, interests: [], isLast: true })
    await fixture.read()
    fixture.clock.turn()
    const answers = fixture.received.flatMap((message) => (message.kind === 'acknowledge' ? [message] : []))
    expect(answers.map(({ sequence, isComplete }) => [sequence, isComplete])).to.deep.equal([
      [7, false],
      [8, false],
      [9, false],
      [9, true],
    ])
  })

  it('disconnects a peer for which an event with that policy does not fit into the outbox', () => {
    fixture = new LinkFixture({ limits: { ...LIMITS, outboxBytes: 3000 } }).connect()
    fixture.isReading = false
    for (let count = 0; count < 2; count++) fixture.link.send(EVENT, { kind: 'disconnect' })
    fixture.clock.turn()
    expect(fixture.received.at(-1)).to.include({ kind: 'goodbye', reason: 'overflow' })
    expect(fixture.ending).to.have.nested.property('cause.code', 'LAHJA_OUTBOX_OVERFLOW')
  })

  describe('that has returned an event', () => {
    const RETURNED = { kind: 'return', queue: 'q', type: 'x', isFixed: false, payload: 1 } as const
    const acknowledge = (sequence: number) => fixture.say({ kind: 'acknowledge', sequence })
    /** The number of the last change that the peer was told. */
    const told = () => {
      const sequences = fixture.received.flatMap((message) => {
        return message.kind === 'subscribe' || message.kind === 'unsubscribe' ? [message.sequence] : []
      })
      return sequences.at(-1) ?? 0
    }

    const giveBack = () => {
      fixture.link.sendMessage(RETURNED)
      expect(fixture.link.owes).to.equal(true)
    }

    it('owes nothing once the peer has acknowledged a change that was sent behind it', () => {
      giveBack()
      fixture.clock.turn()
      fixture.link.announce('subscribe', { type: 'later' })
      fixture.clock.turn()
      expect(fixture.link.owes).to.equal(true)
      acknowledge(told())
      expect(fixture.link.owes).to.equal(false)
    })

    it('still owes it when the peer acknowledges a change that has overtaken it, or that was never sent', () => {
      giveBack()
      fixture.link.announce('subscribe', { type: 'ahead' })
      fixture.clock.turn()
      acknowledge(told())
      fixture.link.announce('subscribe', { type: 'behind' })
      fixture.clock.turn()
      for (const sequence of [told() - 1, told() + 1]) acknowledge(sequence)
      expect(fixture.link.owes).to.equal(true)
      acknowledge(told())
      expect(fixture.link.owes).to.equal(false)
    })

    it('owes one that it returns behind the change', () => {
      giveBack()
      fixture.clock.turn()
      fixture.link.announce('subscribe', { type: 'between' })
      giveBack()
      fixture.clock.turn()
      acknowledge(told())
      expect(fixture.link.owes).to.equal(true)
    })

    it('owes nothing once the peer has acknowledged its last change, which never overtakes it', () => {
      giveBack()
      fixture.link.unsubscribeAll([], true)
      fixture.clock.turn()
      acknowledge(told())
      expect(fixture.link.owes).to.equal(false)
    })

    it('asks the peer at the next check whether it has been read, and once', () => {
      fixture.link.announce('subscribe', { type: 'before' })
      fixture.clock.turn()
      acknowledge(told())
      giveBack()
      fixture.link.checkLiveness()
      fixture.clock.turn()
      expect(told(), 'while it is queued').to.equal(1)
      for (let check = 0; check < 3; check++) {
        fixture.link.checkLiveness()
        fixture.clock.turn()
      }
      expect(told()).to.equal(2)
      acknowledge(2)
      expect(fixture.link.owes).to.equal(false)
      fixture.link.checkLiveness()
      fixture.clock.turn()
      expect(told()).to.equal(2)
    })
  })
})
