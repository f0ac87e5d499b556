import type { Receipt } from '../../src/channel/receive-window'
import type { LahjaError } from '../../src/model/errors'
import { MemberInbox } from '../../src/queues/member-inbox'
import type { Delivery, Progress } from '../../src/wire/message'
import { ManualClock } from './manual-clock'
import type { RecordingChannel } from './recording-channel'

interface Options {
  readonly capacity?: number
  readonly concurrency?: number
  /** Whether it takes as many ahead as it handles in some milliseconds. Default false. */
  readonly isAdaptive?: boolean
  /** Whether its handler returns at once. Default: `finish` ends the calls. */
  readonly isQuick?: boolean
}

/** The inbox of member 7 of the queue `q`, and what its handler is called with. */
export class InboxBench {
  readonly clock = new ManualClock()
  readonly inbox: MemberInbox
  /** Payloads of the events that the handler was called for. */
  readonly begun: unknown[] = []
  readonly reported: LahjaError[] = []
  readonly running: Receipt[] = []
  hasOthers = true
  /** Types that others may have, as long as there are others. Default: all. */
  shared: string[] | undefined
  /** Types that are let in. */
  admitted = ['job']
  /** How often the inbox has said that nothing is in hand. */
  idle = 0
  /** Called with each event. */
  called: (payload: unknown) => void = () => {}
  readonly #numbers = new Map<RecordingChannel, number>()

  constructor({ capacity = 10, concurrency = 1, isAdaptive = false, isQuick = false }: Options = {}) {
    this.inbox = new MemberInbox({
      member: 7,
      queue: 'q',
      capacity,
      concurrency,
      isAdaptive,
      clock: this.clock,
      handle: ({ payload }, receipt) => {
        this.begun.push(payload)
        this.called(payload)
        if (isQuick) receipt.done()
        else this.running.push(receipt)
      },
      takeBack: (isWanted) => {
        for (const receipt of this.running.splice(concurrency)) {
          if (isWanted(receipt)) receipt.release()
          else this.running.push(receipt)
        }
      },
      hasOthers: (_, type) => this.hasOthers && (this.shared?.includes(type) ?? true),
      isShared: (_, type) => this.hasOthers && (this.shared?.includes(type) ?? true),
      admits: (_, type) => this.admitted.includes(type),
      report: (error) => void this.reported.push(error),
      idle: () => this.idle++,
    })
  }

  /** Gives the inbox events of these payloads. */
  give(channel: RecordingChannel, payloads: readonly unknown[], delivery: Partial<Delivery> = {}): void {
    for (const payload of payloads) {
      const number = (this.#numbers.get(channel) ?? 0) + 1
      this.#numbers.set(channel, number)
      this.inbox.take({ kind: 'give', member: 7, number, type: 'job', isFixed: false, payload, ...delivery }, channel)
    }
  }

  /** Ends the oldest running call. */
  finish(): void {
    this.running.shift()?.done()
  }
}

/** The progress that a channel has been told since the last call. */
export function progressOf(channel: RecordingChannel): Omit<Progress, 'kind' | 'member'>[] {
  return channel.takeTold().map((message) => {
    if (message.kind !== 'progress') throw new TypeError(`expected progress, got ${message.kind}`)
    const { kind: _, member: __, ...news } = message
    return news
  })
}
