import { expect } from 'chai'
import type { Channel } from '../../src/channel/channel'
import { DEFAULT_LIMITS } from '../../src/model/limits'
import { type Outcome, PendingRequests } from '../../src/requests/pending-requests'
import type { ChannelMessage } from '../../src/wire/message'
import { RecordingChannel } from './recording-channel'

/** The expectations of one request. */
interface Asked {
  readonly to: readonly Responder[]
  readonly declined: Set<Responder>
  readonly outcomes: Outcome[]
  readonly giveUp: () => void
  /** The responder that it is in flight to, if any. */
  holder: Responder | undefined
  isGivenUp: boolean
}

/** A channel that passes each message to the model at once. */
class Responder extends RecordingChannel {
  readonly #told: (responder: Responder, message: ChannelMessage) => void
  isResponding = true
  /** Requests to it that were given up since it was heard last. */
  givenUp = 0

  constructor(name: string, limit: number, told: (responder: Responder, message: ChannelMessage) => void) {
    super(name, { limits: { pendingRequests: limit } })
    this.#told = told
  }

  override sendMessage(message: ChannelMessage): void {
    super.sendMessage(message)
    this.#told(this, message)
  }
}

/** PendingRequests, next to a simple model that predicts their behaviour. */
export class RequestsModel {
  readonly requests: PendingRequests
  readonly #responders: readonly Responder[]
  readonly #limit: number
  readonly #asked = new Map<number, Asked>()
  #lastId = 0

  constructor(responders: number, limit: number) {
    this.#limit = limit
    this.#responders = Array.from({ length: responders }, (_, index) => {
      return new Responder(`${index}`, limit, (responder, message) => this.#told(responder, message))
    })
    this.requests = new PendingRequests(
      { responders: () => this.#responders.filter((one) => one.isResponding) },
      () => this.#responders,
      DEFAULT_LIMITS.frameBytes,
    )
  }

  /** Asks some of the responders, those whose bit is set. */
  ask(bits: number): void {
    const to = this.#responders.filter((_, index) => (bits >> index) & 1)
    const outcomes: Outcome[] = []
    const candidates = () => this.requests.candidates('a', undefined).filter((one) => to.some((other) => other === one))
    const id = ++this.#lastId
    const asked: Asked = {
      to,
      declined: new Set(),
      outcomes,
      giveUp: () => this.requests.cancel(pending),
      holder: undefined,
      isGivenUp: false,
    }
    this.#asked.set(id, asked)
    const pending = this.requests.ask(this.requests.encode('a', id), {
      isOrdered: false,
      waitsForResponder: false,
      candidates,
      settle: (outcome) => outcomes.push(outcome),
    })
  }

  /** The responder of a request in flight answers; an earlier answer of another one has no effect. */
  answer(index: number, kind: 'response' | 'failure' | 'decline'): void {
    const [id, asked] = this.#pick(index, ({ holder }) => holder !== undefined) ?? []
    const holder = asked?.holder
    if (!id || !holder) return
    const message =
      kind === 'response'
        ? { kind, id, payload: holder.identity.name }
        : kind === 'failure'
          ? { kind, id, error: { name: 'Error', message: 'broken' } }
          : { kind, id }
    for (const other of this.#responders) if (other !== holder) this.requests.onMessage(other, message)
    expect(asked.outcomes).to.deep.equal([])
    asked.holder = undefined
    holder.heard++
    holder.givenUp = 0
    if (kind === 'decline') asked.declined.add(holder)
    this.requests.onMessage(holder, message)
    if (kind !== 'decline') expect(asked.outcomes).to.deep.include.members([{ ...asked.outcomes[0], kind: kind }])
    this.requests.onMessage(holder, message)
  }

  giveUp(index: number): void {
    const [id, asked] = this.#pick(index, isOpen) ?? []
    if (!asked) return
    const { holder } = asked
    const before = holder?.told.length
    asked.holder = undefined
    asked.isGivenUp = true
    if (holder) holder.givenUp++
    asked.giveUp()
    asked.giveUp()
    if (holder) expect(holder.told.slice(before)[0]).to.deep.equal({ kind: 'cancel', id })
  }

  /** A responder starts or stops responding; it may still answer requests in flight. */
  toggle(index: number): void {
    const responder = this.#responders[index % this.#responders.length]
    if (!responder) return
    responder.isResponding = !responder.isResponding
    if (responder.isResponding) this.requests.onResponders(responder, [{ type: 'a', responds: true }])
  }

  /** A responder's link closes; it returns when toggled. */
  end(index: number): void {
    const responder = this.#responders[index % this.#responders.length]
    if (!responder) return
    const held = [...this.#asked.values()].filter(({ holder }) => holder === responder)
    responder.isResponding = false
    responder.givenUp = 0
    for (const asked of held) asked.holder = undefined
    this.requests.onClosed(responder)
    for (const { outcomes } of held) {
      expect(outcomes).to.have.lengthOf(1)
      expect(outcomes[0]).to.have.nested.property('error.code', 'LAHJA_REMOTE_DISCONNECTED')
    }
  }

  /** Checks the invariants. */
  check(): void {
    for (const [id, asked] of this.#asked) {
      expect(asked.outcomes.length, `outcomes of ${id}`).to.be.at.most(asked.isGivenUp ? 0 : 1)
      if (!isOpen(asked) || asked.holder) continue
      const free = this.#eligible(asked)
      expect(free.length, `responders that could have ${id}, which waits`).to.equal(0)
    }
    for (const responder of this.#responders) expect(this.#load(responder)).to.be.at.most(this.#limit)
  }

  /** When all responders have disconnected, every request has settled. */
  finish(): void {
    for (const index of this.#responders.keys()) this.end(index)
    for (const [id, { isGivenUp, outcomes }] of this.#asked) {
      expect(outcomes.length, `outcomes of ${id}`).to.equal(isGivenUp ? 0 : 1)
    }
  }

  #told(responder: Responder, message: ChannelMessage): void {
    if (message.kind !== 'request') return
    const asked = this.#asked.get(message.id)
    if (!asked) expect.fail(`${message.id} was never asked`)
    expect(isOpen(asked) && asked.holder === undefined).to.equal(true)
    expect(message).to.deep.equal({ kind: 'request', id: message.id, type: 'a', payload: message.id })
    const before = responder.told.filter((one) => one.kind === 'request' && one.id === message.id)
    expect(before, `times that ${responder.identity.name} is asked ${message.id}`).to.have.lengthOf(1)
    const burden = (one: Responder) => this.#load(one) + one.givenUp
    const least = Math.min(...this.#eligible(asked).map(burden))
    expect(this.#eligible(asked)).to.include(responder)
    expect(burden(responder)).to.equal(least)
    asked.holder = responder
  }

  #eligible({ to, declined }: Asked): Responder[] {
    return to.filter((one) => one.isResponding && !declined.has(one) && this.#load(one) < this.#limit)
  }

  #load(responder: Channel): number {
    return [...this.#asked.values()].filter(({ holder }) => holder === responder).length
  }

  #pick(index: number, isMeant: (asked: Asked) => boolean) {
    const all = [...this.#asked].filter(([, asked]) => isMeant(asked))
    return all[index % Math.max(all.length, 1)]
  }
}

function isOpen({ outcomes, isGivenUp }: Asked): boolean {
  return outcomes.length === 0 && !isGivenUp
}
