import { expect } from 'chai'
import { Secret } from '../../src/mesh/secret'
import { ProtocolViolation } from '../../src/model/errors'
import { KIND_CODES } from '../../src/wire/message'
import { LinkFixture } from '../support/link-fixture'
import { protocolDocument } from '../support/protocol-document'
import { messageVectors } from '../support/vectors'

/** The states in which messages arrive, in their order. */
const STATES = ['greeting', 'proving', 'deciding', 'introducing', 'up', 'leaving']

/** The states of a link without a secret. */
const STATES_WITHOUT_SECRET = STATES.filter((state) => state !== 'proving')

function bytesOf(name: string): Buffer {
  const vector = messageVectors.find((vector) => vector.name === name) ?? expect.fail(`no vector ${name}`)
  return Buffer.from(vector.hex, 'hex')
}

async function linkIn(state: string): Promise<LinkFixture> {
  if (state === 'proving') {
    const fixture = new LinkFixture({ secret: new Secret('open sesame') })
    fixture.sayBytes(bytesOf('hello with a nonce'))
    return fixture
  }
  const fixture = new LinkFixture()
  const steps = [
    () => fixture.sayBytes(bytesOf('hello')),
    () => fixture.link.accept(),
    () => fixture.sayBytes(bytesOf('ready')),
    () => fixture.leave(),
  ]
  for (const step of steps.slice(0, STATES_WITHOUT_SECRET.indexOf(state))) await step()
  return fixture
}

/** The protocol rule that the peer has broken. */
function violationOf({ ending }: LinkFixture): string | undefined {
  const cause = ending && 'cause' in ending ? ending.cause : undefined
  return cause instanceof ProtocolViolation ? cause.reason : undefined
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
        const fixture = await linkIn(state)
        fixture.sayBytes(Buffer.from(hex, 'hex'))
        expect(violationOf(fixture), name).to.equal(legal.has(message.kind) ? undefined : 'unexpected-message')
      }
    })
  }
})
