import type { HistoryRecord, Kind, RecordOf } from '../record'

/** A record with its index in the history. */
export interface Placed<Of extends Kind> {
  readonly index: number
  readonly record: RecordOf<Of>
}

/** A subscription and the events that it has received. */
export interface Subscribed extends Placed<'subscribed'> {
  readonly life: Life
  /** Indexes; infinite for events that have not happened. */
  ready: number
  unsubscribed: number
  readonly received: Placed<'received'>[]
  /** Indexes at which async handlers ended, by sender and event. */
  readonly handled: Map<string, number>
}

/** A link, as seen by one side. */
export interface Acquaintance {
  readonly joined: number
  ended: number
  how: 'open' | 'left' | 'lost'
  /** Events reported as lost with the link. */
  loss: number
  /** Events reported as not handled by a peer that left; undefined if its implementation doesn't say. */
  unhandled?: number | undefined
}

const NEVER = Number.POSITIVE_INFINITY

/** The history of one endpoint, from start to end. */
export class Life {
  readonly label: string
  readonly starting: Placed<'starting'>
  id: string | undefined
  /** Indexes; infinite for events that have not happened. */
  started = NEVER
  refused = NEVER
  closing = NEVER
  closed = NEVER
  killed = NEVER
  /** Milliseconds that its close may take. */
  timeout: number | undefined
  refusal = ''
  readonly subscriptions = new Map<number, Subscribed>()
  readonly sent = new Map<number, Placed<'sent'>>()
  readonly gaps: Placed<'gap'>[] = []
  /** Events of queues of which it was told what has become of them, with the index of that. */
  readonly reported = new Map<number, number>()
  /** The times for which its loop was blocked. */
  readonly freezes: { readonly since: number; until: number }[] = []
  /** Indexes at which one of its connections was delayed. */
  readonly stalls: number[] = []
  /** Whether its `close` has told it of events that were not delivered. */
  hasLeftEvents = false
  /** The types of events that arrived and were not handled, of which its `close` has told. */
  readonly unhandled = new Set<string>()
  /** Links, by the id of the peer. */
  readonly acquaintances = new Map<string, Acquaintance[]>()

  constructor(starting: Placed<'starting'>) {
    this.label = starting.record.endpoint
    this.starting = starting
  }

  get name(): string {
    return this.starting.record.name
  }

  get groups(): readonly string[] {
    return this.starting.record.groups
  }

  /** The index of its end. */
  get over(): number {
    return Math.min(this.closed, this.killed, this.refused)
  }

  /** The index at which it began to close, or ended. */
  get ending(): number {
    return Math.min(this.closing, this.over)
  }

  isUpAt(index: number): boolean {
    return this.started < index && index < this.ending
  }

  /** Milliseconds for which its loop was blocked between the two times. */
  frozenFor(from: number, to: number): number {
    return this.freezes.reduce((sum, { since, until }) => {
      return sum + Math.max(Math.min(until, to) - Math.max(since, from), 0)
    }, 0)
  }

  note(record: HistoryRecord, index: number): void {
    switch (record.kind) {
      case 'started':
        this.id = record.id
        this.started = index
        return
      case 'refused':
        this.refusal = record.code
        this.refused = index
        return
      case 'closing':
        this.closing = index
        this.timeout = record.timeout
        return
      case 'closed':
        this.closed = index
        this.hasLeftEvents = record.undelivered.length > 0
        for (const type of record.unhandled ?? []) this.unhandled.add(type)
        return
      case 'killed':
        this.killed = index
        return
      case 'sent':
        this.sent.set(record.event, { index, record })
        return
      case 'failed':
        // No endpoint has received it, and none may.
        this.sent.delete(record.event)
        return
      case 'frozen':
        this.freezes.push({ since: record.at, until: NEVER })
        return
      case 'thawed':
        for (const freeze of this.freezes) freeze.until = Math.min(freeze.until, record.at)
        return
      case 'disturbed':
        this.stalls.push(index)
        return
      case 'reported':
        if (!this.reported.has(record.event)) this.reported.set(record.event, index)
        return
      case 'gap':
        this.gaps.push({ index, record })
        return
      case 'joined':
      case 'left':
      case 'lost':
        return this.#noteAcquaintance(record, index)
      default:
        return this.#noteSubscription(record, index)
    }
  }

  #noteSubscription(record: HistoryRecord, index: number): void {
    if (record.kind === 'subscribed') {
      const subscribed = {
        index,
        record,
        life: this,
        ready: NEVER,
        unsubscribed: NEVER,
        received: [],
        handled: new Map(),
      }
      this.subscriptions.set(record.subscription, subscribed)
    } else if (record.kind === 'ready' || record.kind === 'unsubscribed') {
      const subscription = this.subscriptions.get(record.subscription)
      if (subscription) subscription[record.kind] = index
    } else if (record.kind === 'received') {
      this.subscriptions.get(record.subscription)?.received.push({ index, record })
    } else if (record.kind === 'handled') {
      this.subscriptions.get(record.subscription)?.handled.set(`${record.sender} ${record.event}`, index)
    }
  }

  #noteAcquaintance(record: RecordOf<'joined' | 'left' | 'lost'>, index: number): void {
    const known = this.acquaintances.get(record.peer) ?? []
    this.acquaintances.set(record.peer, known)
    if (record.kind === 'joined') {
      known.push({ joined: index, ended: NEVER, how: 'open', loss: 0 })
      return
    }
    const open = known.find(({ how }) => how === 'open')
    if (!open) return
    open.ended = index
    open.how = record.kind
    if (record.kind === 'lost') open.loss = record.undelivered + record.unconfirmed
    if (record.kind === 'left') open.unhandled = record.unhandled
  }
}
