import { expect } from 'chai'
import { MemoryBudget } from '../../src/channel/memory-budget'
import { helloOf } from '../../src/mesh/handshake'
import { Link, type LinkContext } from '../../src/mesh/link'
import type { LinkEnding } from '../../src/mesh/link-ending'
import type { LinkState } from '../../src/mesh/link-state'
import { Secret } from '../../src/mesh/secret'
import { ProtocolViolation } from '../../src/model/errors'
import { DEFAULT_LIMITS } from '../../src/model/limits'
import type { Connection, ConnectionEvents } from '../../src/platform/transport'
import { KIND_CODES } from '../../src/wire/message'
import { ManualClock } from '../support/manual-clock'
import { protocolDocument } from '../support/protocol-document'
import { messageVectors } from '../support/vectors'

/** The states in which messages arrive, in their order. */
const STATES: readonly LinkState[] = ['greeting', 'proving', 'deciding', 'introducing', 'up', 'leaving']

/** Those through which a link goes where there is no secret. */
const STATES_WITHOUT_SECRET = STATES.filter((state) => state !== 'proving')

function hexOf(name: string): string {
  return messageVectors.find((vector) => vector.name === name)?.hex ?? expect.fail(`no vector ${name}`)
}

const nothing = () => {}

/** A link that a peer has dialled, at which nothing happens that isn't asked for. */
class Station {
  readonly link: Link
  /** The rule that the peer has broken. */
  violation: string | undefined
  readonly #clock = new ManualClock()
  #events: ConnectionEvents | undefined

  /** @param secret for one that wants a proof */
  constructor(secret: Secret | undefined) {
    const closed = (_: Link, ending: LinkEnding) => {
      if ('cause' in ending && ending.cause instanceof ProtocolViolation) this.violation = ending.cause.reason
    }
    const connection: Connection = {
      attach: (events) => {
        this.#events = events
      },
      write: () => true,
      end: nothing,
      linger: nothing,
      destroy: nothing,
    }
    const context: LinkContext = {
      clock: this.#clock,
      limits: DEFAULT_LIMITS,
      secret,
      hello: () =>
        helloOf(
          {
            name: 'till',
            id: '0000000000abc',
            groups: [],
            pid: process.pid,
            frameLimit: 4096,
            window: 65_536,
            requestLimit: 16,
            accepts: undefined,
          },
          secret?.nonce(),
        ),
      interest: () => [],
      budget: new MemoryBudget(DEFAULT_LIMITS.outboxTotalBytes),
      events: { greeted: nothing, up: nothing, closed },
      traffic: { event: nothing, message: nothing, interest: nothing, gap: nothing, pace: nothing },
    }
    this.link = new Link(context, connection, undefined)
  }

  hear(hex: string): void {
    this.#events?.data(Buffer.from(hex, 'hex'))
  }

  leave(): Promise<void> {
    const left = this.link.leave()
    this.#clock.turn()
    return left
  }
}

async function stationIn(state: LinkState): Promise<Station> {
  if (state === 'proving') {
    const station = new Station(new Secret('open sesame'))
    station.hear(hexOf('hello with a nonce'))
    return station
  }
  const station = new Station(undefined)
  const steps = [
    () => station.hear(hexOf('hello')),
    () => station.link.accept(),
    () => station.hear(hexOf('ready')),
    () => station.leave(),
  ]
  for (const step of steps.slice(0, STATES_WITHOUT_SECRET.indexOf(state))) await step()
  return station
}

/** The messages that the document says are legal in a state. */
function legalIn(state: string): ReadonlySet<string> {
  const row = protocolDocument.split('\n').find((line) => line.startsWith(`| ${state} |`)) ?? expect.fail(state)
  const cell = row.split('|')[3] ?? ''
  if (cell.includes('anything')) return new Set(Object.keys(KIND_CODES))
  return new Set([...cell.matchAll(/`([^`]+)`/g)].map(([, kind = '']) => kind))
}

describe('docs/protocol.md', () => {
  for (const state of STATES) {
    it(`says which messages are legal in state ${state}`, async () => {
      const legal = legalIn(state)
      expect(Object.keys(KIND_CODES)).to.include.members([...legal])
      for (const { name, hex, message } of messageVectors) {
        const station = await stationIn(state)
        station.hear(hex)
        expect(station.violation, name).to.equal(legal.has(message.kind) ? undefined : 'unexpected-message')
      }
    })
  }
})
