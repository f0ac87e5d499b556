import { expect } from 'chai'
import { MAX_TYPE_BYTES } from '../src/definition'
import type { Violation } from '../src/errors'
import { PROTOCOL_VERSIONS } from '../src/handshake'
import { DEFAULT_LIMITS, FRAME_CEILING, HANDSHAKE_FRAME } from '../src/limits'
import { type GoodbyeReason, KIND_CODES } from '../src/message'
import { MAX_DEPTH } from '../src/payload'
import { messageRow, payloadRow, protocolDocument } from './protocol-document'
import { messageVectors, payloadVectors } from './vectors'

/** The compiler keeps this list complete. */
const VIOLATIONS: Record<Violation, true> = {
  'frame-too-large': true,
  'frame-empty': true,
  'frame-cut-off': true,
  malformed: true,
  'unexpected-message': true,
  'wrong-peer': true,
  'version-mismatch': true,
  'handshake-timeout': true,
  'too-many-handshakes': true,
}

const REASONS: Record<GoodbyeReason, true> = {
  ...VIOLATIONS,
  left: true,
  'name-in-use': true,
  'name-claimed': true,
  'name-conceded': true,
  duplicate: true,
  closing: true,
}

const lines = protocolDocument.split('\n')

/** The first cells of the lines of the table that begins with this line. */
function firstCells(heading: string): string[] {
  const from = lines.indexOf(heading)
  expect(from, heading).to.be.at.least(0)
  const table = lines.slice(from + 2)
  const rows = table.slice(
    0,
    table.findIndex((line) => !line.startsWith('|')),
  )
  return rows.map((row) => row.split('|')[1]?.trim().replaceAll('`', '') ?? '')
}

describe('docs/protocol.md', () => {
  it('shows every vector of messages, as it is', () => {
    for (const vector of messageVectors) expect(lines).to.include(messageRow(vector))
  })

  it('shows every vector of payloads, as it is', () => {
    for (const vector of payloadVectors) expect(lines).to.include(payloadRow(vector))
  })

  it('quotes no frame that is not a vector', () => {
    const quoted = [...protocolDocument.matchAll(/`([0-9a-f]{8}) ([0-9a-f]+)`/g)].map(
      ([, prefix, body]) => `${prefix}${body}`,
    )
    expect(quoted.sort()).to.deep.equal(messageVectors.map(({ hex }) => hex).sort())
  })

  it('quotes no payload that is not a vector', () => {
    const values = firstCells('| value | sent | bytes of the payload | arrives |')
    const forms = firstCells('| form | bytes of the payload | arrives |')
    expect([...values, ...forms]).to.deep.equal(payloadVectors.map(({ name }) => name))
  })

  it('lists every kind of message under its number', () => {
    const kinds = Object.entries(KIND_CODES).sort(([, one], [, other]) => one - other)
    const table = lines.slice(lines.indexOf('| number | kind | elements after the number |') + 2)
    for (const [index, [kind, code]] of kinds.entries()) expect(table[index]).to.contain(`| ${code} | \`${kind}\` |`)
    expect(table[kinds.length]).to.equal('')
  })

  it('lists every reason of a goodbye, and no others', () => {
    expect(firstCells('| reason | said by | when | dial again? |').sort()).to.deep.equal(Object.keys(REASONS).sort())
  })

  it('names the numbers that the code goes by', () => {
    const time = (milliseconds: number) => (milliseconds < 1000 ? `${milliseconds} ms` : `${milliseconds / 1000} s`)
    const { frame, handshakeTimeout, handshakes, rescan, ping, silentPings, redialMin, redialMax } = DEFAULT_LIMITS
    const rows = [
      ['version', `${PROTOCOL_VERSIONS[1]}`],
      ['frame before the handshake', `${HANDSHAKE_FRAME.toLocaleString('en')} bytes`],
      ['name of a type', `${MAX_TYPE_BYTES} bytes`],
      ['nesting of a payload', `${MAX_DEPTH} levels`],
      ['frame after the handshake', `${frame / 2 ** 20} MiB, at most ${FRAME_CEILING / 2 ** 20} MiB`],
      ['handshake', time(handshakeTimeout)],
      ['connections without a handshake', `${handshakes}`],
      ['between two listings of the directory', time(rescan)],
      ['between two looks for silent peers; from the second on, a silent peer gets a ping', time(ping)],
      ['looks after which a peer that stays silent is called unresponsive', `${silentPings}`],
      ['time until the next dial', `random, up to ${time(redialMin)}, doubling up to ${time(redialMax)}`],
    ]
    for (const [what, value] of rows) expect(protocolDocument).to.contain(`| ${what} | ${value} |`)
  })

  it('leads nowhere that does not exist', () => {
    const anchors = lines
      .filter((line) => line.startsWith('#'))
      .map((line) =>
        line
          .replace(/^#+ /, '')
          .toLowerCase()
          .replace(/[^\w -]/g, '')
          .replaceAll(' ', '-'),
      )
    for (const [, anchor] of protocolDocument.matchAll(/\]\(#([^)]+)\)/g)) expect(anchors).to.include(anchor)
  })
})
