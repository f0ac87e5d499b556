import { expect } from 'chai'
import { check } from './checker'
import { type HistoryRecord, parseRecord, type RecordFields } from './record'

const LIMITS = {
  frameBytes: 4096,
  outboxBytes: 8192,
  windowBytes: 1000,
  patience: 100,
  rescanInterval: 200,
  handshakeTimeout: 1000,
  pendingHandshakes: 64,
}

/** A hand-written history; each record is a millisecond after the one before. */
class Draft {
  readonly records: HistoryRecord[] = []
  #now = 0

  say(endpoint: string, ...said: RecordFields[]): this {
    for (const each of said) this.records.push({ at: this.#now++, endpoint, ...each })
    return this
  }

  pass(milliseconds: number): this {
    this.#now += milliseconds
    return this
  }

  get broken(): string[] {
    return [...new Set(check(this.records).map(({ guarantee }) => guarantee))]
  }
}

const starting = (name: string, limits: Partial<typeof LIMITS> = {}): RecordFields => ({
  kind: 'starting',
  name,
  groups: [name === 'a' ? 'front' : 'back'],
  limits: { ...LIMITS, ...limits },
})
const started = (id: string): RecordFields => ({ kind: 'started', id })
const joined = (name: string): RecordFields => ({ kind: 'joined', peer: `id-${name}`, name })
const lost = (name: string, loss = 0): RecordFields => {
  return { kind: 'lost', peer: `id-${name}`, name, cause: 'LAHJA_CONNECTION_FAILED', undelivered: loss, unconfirmed: 0 }
}
const subscribed = (
  subscription: number,
  more: { from?: string[]; queue?: string; type?: string; prefetch?: number } = {},
): RecordFields => {
  return { kind: 'subscribed', subscription, type: 'a.x', ...more }
}
const sent = (event: number, more: { to?: string; type?: string; size?: number } = {}): RecordFields => {
  return { kind: 'sent', event, type: 'a.x', digest: event * 7, size: 10, ...more }
}
const received = (
  event: number,
  more: {
    subscription?: number
    digest?: number
    headers?: number
    origin?: string
    type?: string
    isLong?: boolean
  } = {},
): RecordFields => {
  return { kind: 'received', subscription: 1, type: 'a.x', origin: 'a', sender: 'a', event, digest: event * 7, ...more }
}
const asked: RecordFields = { kind: 'asked', request: 1, type: 'ask', timeout: 1000, all: false }
const ready: RecordFields = { kind: 'ready', subscription: 1 }
const settled = (outcome = 'response'): RecordFields => ({ kind: 'settled', request: 1, outcome })
const begun: RecordFields = { kind: 'begun', asker: 'a', request: 1, type: 'ask' }

/** Two linked endpoints; the second is subscribed. */
function pair(...interest: RecordFields[]): Draft {
  const draft = new Draft().say('a', starting('a'), started('id-a')).say('b', starting('b'), started('id-b'))
  draft.say('a', joined('b')).say('b', joined('a'))
  return draft.say('b', ...(interest.length > 0 ? interest : [subscribed(1), ready]))
}

describe('the checker', () => {
  it('accepts a correct history', () => {
    const draft = pair().say('a', sent(1), sent(2), sent(3)).say('b', received(1), { kind: 'gap', peer: 'a', count: 1 })
    expect(draft.say('b', received(3)).say('', { kind: 'quiet' }).broken).to.deep.equal([])
    const request = pair().say('a', asked).say('b', begun)
    expect(
      request.say('a', { kind: 'replied', request: 1, origin: 'b', outcome: 'response', correct: true }, settled())
        .broken,
    ).to.deep.equal([])
  })

  it('G1: notices received events that were never sent or were altered', () => {
    expect(pair().say('b', received(1)).broken).to.deep.equal(['G1'])
    for (const more of [{ digest: 8 }, { origin: 'c' }, { type: 'a.y' }, { headers: 1 }]) {
      expect(pair().say('a', sent(1)).say('b', received(1, more)).broken).to.include('G1')
    }
  })

  it('G2: notices events that were not subscribed to, not addressed, or received after unsubscribe', () => {
    const unsubscribed: RecordFields = { kind: 'unsubscribed', subscription: 1 }
    expect(pair().say('a', sent(1)).say('b', unsubscribed, received(1)).broken).to.deep.equal(['G2'])
    expect(
      pair()
        .say('a', sent(1, { to: 'c' }))
        .say('b', received(1)).broken,
    ).to.deep.equal(['G2'])
    expect(
      pair(subscribed(1, { from: ['c'] }))
        .say('a', sent(1))
        .say('b', received(1)).broken,
    ).to.deep.equal(['G2'])
    expect(
      pair(subscribed(1, { type: 'a.y' }))
        .say('a', sent(1))
        .say('b', received(1)).broken,
    ).to.deep.equal(['G2'])
  })

  it('G3: notices events received twice by a subscription or queue, and a second link', () => {
    expect(pair().say('a', sent(1)).say('b', received(1), received(1)).broken).to.deep.equal(['G3'])
    const members = [1, 2].map((number) => subscribed(number, { queue: 'q' }))
    const shared = pair(...members)
      .say('a', sent(1))
      .say('b', received(1), received(1, { subscription: 2 }))
    expect(shared.broken).to.deep.equal(['G3'])
    expect(pair().say('a', joined('b')).broken).to.deep.equal(['G3'])
  })

  it('G11: notices an event behind an ordered request, unless its subscription was busy', () => {
    const ordered = { ...asked, ordered: true }
    const early = pair().say('a', sent(1), ordered).say('b', begun, received(1))
    expect(early.broken).to.include('G11')
    const behind = pair().say('a', sent(1), ordered).say('b', received(1), begun)
    expect(behind.say('a', settled()).broken).to.deep.equal([])
    const handled = (event: number): RecordFields => ({ kind: 'handled', subscription: 1, sender: 'a', event })
    const busy = pair().say('a', sent(1), sent(2), ordered).say('b', received(1), begun, handled(1), received(2))
    expect(busy.say('b', handled(2)).say('a', settled()).broken).to.deep.equal([])
  })

  it('G4: notices events out of order', () => {
    expect(pair().say('a', sent(1), sent(2)).say('b', received(2), received(1)).broken).to.include('G4')
  })

  it('G5: notices a gap that is missing, late or too large, and events lost silently with a link', () => {
    const silent = pair().say('a', sent(1), sent(2)).say('b', received(2))
    expect(silent.broken).to.deep.equal(['G5'])
    expect(silent.say('b', { kind: 'gap', peer: 'a', count: 1 }).broken).to.deep.equal(['G5'])
    const large = pair().say('a', sent(1), sent(2)).say('b', { kind: 'gap', peer: 'a', count: 2 }, received(2))
    expect(large.broken).to.deep.equal(['G5'])
    const dead = (loss: number) => {
      return pair()
        .say('a', sent(1), sent(2))
        .say('b', { kind: 'cut' })
        .say('a', lost('b', loss))
        .say('', { kind: 'quiet' }).broken
    }
    expect([dead(1), dead(2)]).to.deep.equal([['G5'], []])
  })

  it('G5: notices an event that died with a member that was handling it, unless its sender was told', () => {
    const member = subscribed(1, { queue: 'q', prefetch: 0 })
    const killed = (more: { isLong?: boolean }, ...told: RecordFields[]) =>
      pair(member, ready)
        .say('a', member, ready, sent(1))
        .say('b', received(1, more), { kind: 'killed' })
        .say('a', lost('b'), ...told)
        .say('', { kind: 'quiet' })
    expect(killed({ isLong: true }).broken).to.deep.equal(['G5'])
    expect(killed({}).broken).to.deep.equal([])
    expect(killed({ isLong: true }, { kind: 'reported', event: 1 }).broken).to.deep.equal([])
  })

  it('G6: notices events never received by a subscription or queue', () => {
    expect(pair().say('a', sent(1)).say('', { kind: 'quiet' }).broken).to.deep.equal(['G6'])
    const member = pair(subscribed(1, { queue: 'q' }), ready)
    expect(member.say('a', sent(1)).say('', { kind: 'quiet' }).broken).to.deep.equal(['G6'])
  })

  it('G7: notices more bytes in flight than an outbox and a window hold', () => {
    const draft = pair()
    for (let event = 1; event <= 30; event++) draft.say('a', sent(event, { size: 1000 }))
    for (let event = 1; event <= 30; event++) draft.say('b', received(event))
    expect(draft.broken).to.deep.equal(['G7'])
    for (const [count, broken] of [
      [15, []],
      [30, ['G7']],
    ] as const) {
      const again = pair()
      for (let event = 1; event <= 15; event++) again.say('a', sent(event, { size: 1000 }))
      again.say('a', { kind: 'cut' }, lost('b', 1), joined('b')).say('b', lost('a'), joined('a'))
      for (let event = 16; event <= 15 + count; event++) again.say('a', sent(event, { size: 1000 }))
      for (let event = 1; event <= 15 + count; event++) again.say('b', received(event))
      expect(again.broken).to.deep.equal(broken)
    }
  })

  it('G8: notices a broadcast that waits too long, unless its own loop was blocked', () => {
    const handed: RecordFields = { kind: 'handed', event: 1, count: 1 }
    expect(
      new Draft().say('a', starting('a'), started('id-a'), sent(1)).pass(500).say('a', handed).broken,
    ).to.deep.equal(['G8'])
    const frozen = new Draft().say('a', starting('a'), started('id-a'), sent(1), { kind: 'frozen' }).pass(500)
    expect(frozen.say('a', { kind: 'thawed' }, handed).broken).to.deep.equal([])
  })

  it('G9: notices a peer found too late, and a peer or interest not known', () => {
    const apart = new Draft().say('a', starting('a'), started('id-a')).say('b', starting('b'), started('id-b'))
    expect(apart.pass(5000).say('', { kind: 'quiet' }).broken).to.deep.equal(['G9'])
    const nobody: RecordFields = { kind: 'acquainted', peers: [], subscriptions: [], responds: [] }
    expect(pair().say('a', nobody).broken).to.deep.equal(['G9'])
    const draft = pair()
    const at = 100
    const view = (id: string): RecordFields => {
      return {
        kind: 'acquainted',
        peers: [{ id, subscriptions: [], responds: [] }],
        subscriptions: ['a.x'],
        responds: [],
      }
    }
    draft.records.push({ at, endpoint: 'a', ...view('id-b') }, { at, endpoint: 'b', ...view('id-a') })
    expect(draft.broken).to.deep.equal(['G9'])
  })

  it('G10: notices a name with two holders, and a name with none', () => {
    const twice = new Draft().say('a', starting('a'), started('id-a')).say('b', starting('a'), started('id-b'))
    expect(twice.broken).to.deep.equal(['G10'])
    const refused: RecordFields = { kind: 'refused', code: 'LAHJA_NAME_IN_USE' }
    const none = new Draft().say('a', starting('a')).say('b', starting('a')).say('a', refused).say('b', refused)
    expect(none.broken).to.deep.equal(['G10'])
    const late = new Draft().say('a', starting('a')).say('b', starting('a')).pass(1000).say('a', refused)
    expect(late.say('b', refused).broken).to.deep.equal(['G10'])
    for (const kind of ['frozen', 'disturbed'] as const) {
      const fault: RecordFields = kind === 'frozen' ? { kind } : { kind, what: 'stalled' }
      for (const [wait, broken] of [
        [200, ['G10']],
        [250, []],
      ] as const) {
        const silent = new Draft().say('a', starting('a')).say('b', starting('a'), fault).pass(wait).say('a', refused)
        expect(silent.say('b', { kind: 'thawed' }, refused).broken).to.deep.equal(broken)
      }
    }
  })

  it('G10: takes a name for lost to nobody where more dial than a claimant answers at a time, and not where fewer do', () => {
    const refused: RecordFields = { kind: 'refused', code: 'LAHJA_NAME_IN_USE' }
    for (const [pendingHandshakes, broken] of [
      [2, ['G10']],
      [1, []],
    ] as const) {
      const claim = starting('a', { pendingHandshakes })
      const crowded = new Draft().say('a', claim).say('b', claim).say('c', starting('c'), started('id-c'))
      expect(crowded.pass(1000).say('a', refused).say('b', refused).broken).to.deep.equal(broken)
    }
  })

  it('G11: notices a request that settles late, wrongly, twice or never, or is handled twice', () => {
    expect(pair().say('a', asked).say('', { kind: 'quiet' }).broken).to.deep.equal(['G11'])
    expect(pair().say('a', asked, settled(), settled()).broken).to.deep.equal(['G11'])
    expect(pair().say('a', asked).say('b', begun, begun).broken).to.deep.equal(['G11'])
    expect(pair().say('a', asked).pass(2000).say('a', settled()).broken).to.deep.equal(['G11'])
    const wrong: RecordFields = { kind: 'replied', request: 1, origin: 'b', outcome: 'response', correct: false }
    expect(pair().say('a', asked, wrong).broken).to.deep.equal(['G11'])
  })

  it('G12: notices an early goodbye, events after it, and leftovers', () => {
    const left: RecordFields = { kind: 'left', peer: 'id-a', name: 'a' }
    expect(pair().say('b', left).broken).to.deep.equal(['G12'])
    const hasty = pair()
      .say('a', sent(1), { kind: 'closing' })
      .say('b', left)
      .say('a', { kind: 'closed', undelivered: [] })
    expect(hasty.say('', { kind: 'quiet' }).broken).to.deep.equal(['G12'])
    expect(pair().say('a', { kind: 'leftover', what: 'timers', count: 1 }).broken).to.deep.equal(['G12'])
  })

  it('G12: notices events that an endpoint which closes has not handled, without a report', () => {
    const closing: RecordFields = { kind: 'closing', timeout: 5000 }
    const closed: RecordFields = { kind: 'closed', undelivered: [] }
    const left = (unhandled?: number): RecordFields => ({ kind: 'left', peer: 'id-b', name: 'b', unhandled })
    const leaving = () => pair().say('a', sent(1), sent(2)).say('b', received(1), closing)
    expect(leaving().say('a', left(0)).say('b', closed).broken).to.deep.equal(['G12'])
    expect(leaving().say('a', left()).say('b', closed).broken).to.deep.equal([])
    expect(leaving().say('b', { kind: 'gap', peer: 'a', count: 1 }).say('a', left(0)).broken).to.deep.equal([])
    expect(leaving().pass(2500).say('a', left(1)).say('b', closed).broken).to.deep.equal([])
    expect(leaving().say('a', sent(3), left(1)).pass(2500).say('b', closed).broken).to.deep.equal([])
    // It had the time to handle them.
    expect(leaving().say('a', left(1)).say('b', closed).broken).to.deep.equal(['G12'])
    expect(
      leaving().say('b', { kind: 'disturbed', what: 'delayed' }).say('a', left(1)).say('b', closed).broken,
    ).to.deep.equal([])
  })

  it('G13: notices a peer lost without a reason', () => {
    expect(pair().say('a', lost('b')).broken).to.deep.equal(['G13'])
    expect(pair().say('b', { kind: 'cut' }).say('a', lost('b')).broken).to.deep.equal([])
    expect(pair().say('b', { kind: 'killed' }).say('a', lost('b')).broken).to.deep.equal([])
  })

  it('judges records parsed from JSON the same', () => {
    const draft = pair().say('a', sent(1), sent(2)).say('b', received(2))
    const lines = draft.records.map((record) => JSON.stringify(record))
    expect(check(lines.map(parseRecord))).to.deep.equal(check(draft.records))
    expect(() => parseRecord('{"kind":"sent"}')).to.throw()
    expect(() => parseRecord('{"kind":"other","at":1,"endpoint":"a"}')).to.throw()
  })
})
