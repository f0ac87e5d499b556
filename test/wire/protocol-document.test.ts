import { expect } from 'chai'
import { PROTOCOL_VERSIONS } from '../../src/mesh/agreement'
import { dismissal, failure, isHopeless } from '../../src/mesh/link-ending'
import { NONCE_BYTES } from '../../src/mesh/secret'
import type { RemoteFailure, ViolationReason } from '../../src/model/errors'
import type { Interest } from '../../src/model/interest'
import { DEFAULT_LIMITS, HANDSHAKE_FRAME_BYTES, MAX_FRAME_BYTES } from '../../src/model/limits'
import { MAX_TYPE_BYTES } from '../../src/model/pattern'
import { type GoodbyeReason, type Hello, KIND_CODES } from '../../src/wire/message'
import { MAX_BIGINT_BYTES } from '../../src/wire/msgpack-format'
import { MAX_DEPTH } from '../../src/wire/packed-value'
import { anchorsOf } from '../support/anchors'
import { messageRow, payloadRow, proofRow, protocolDocument } from '../support/protocol-document'
import { messageVectors, payloadVectors, proofVectors } from '../support/vectors'

/** The type makes this list complete. */
const VIOLATIONS: Record<ViolationReason, true> = {
  'frame-too-large': true,
  'frame-empty': true,
  malformed: true,
  'unexpected-message': true,
  'window-exceeded': true,
  'too-many-interests': true,
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
  overflow: true,
  unauthenticated: true,
}

const lines = protocolDocument.split('\n')

/** The fields of the maps in messages, by section of the document; the types make these complete too. */
const FIELDS: Readonly<Record<string, Readonly<Record<string, true>>>> = {
  hello: {
    versions: true,
    name: true,
    id: true,
    groups: true,
    pid: true,
    frameLimit: true,
    window: true,
    requestLimit: true,
    accepts: true,
    nonce: true,
    bigints: true,
    records: true,
  } satisfies Record<Exclude<keyof Hello, 'kind'>, true>,
  'subscribe, unsubscribe': {
    type: true,
    from: true,
    queue: true,
    member: true,
    capacity: true,
    responds: true,
  } satisfies Record<keyof Interest, true>,
  failure: { name: true, message: true, code: true, stack: true } satisfies Record<keyof RemoteFailure, true>,
}

/** The first column of the first table with this heading, in the section if there is one. */
function firstCells(heading: string, section?: string): string[] {
  const from = lines.indexOf(heading, section === undefined ? 0 : lines.indexOf(`### ${section}`))
  expect(from, heading).to.be.at.least(0)
  const table = lines.slice(from + 2)
  const end = table.findIndex((line) => !line.startsWith('|'))
  const rows = table.slice(0, end)
  return rows.map((row) => row.split('|')[1]?.trim().replaceAll('`', '') ?? '')
}

/** The kinds of message in the heading of a section. */
function headingOf(section: string): readonly string[] {
  return section.split('\n', 1)[0]?.split(', ') ?? []
}

describe('docs/protocol.md', () => {
  it('contains every message vector', () => {
    for (const vector of messageVectors) expect(lines).to.include(messageRow(vector))
  })

  it('contains every payload vector', () => {
    for (const vector of payloadVectors) expect(lines).to.include(payloadRow(vector))
  })

  it('contains every proof vector', () => {
    for (const vector of proofVectors) {
      expect(lines).to.include(proofRow(vector))
      expect(protocolDocument).to.contain(`the secret \`${vector.secret}\``)
    }
  })

  it('contains no frame that is not a vector', () => {
    const quoted = [...protocolDocument.matchAll(/`([0-9a-f]{8}) ([0-9a-f]+)`/g)].map(
      ([, prefix, body]) => `${prefix}${body}`,
    )
    expect(quoted.sort()).to.deep.equal(messageVectors.map(({ hex }) => hex).sort())
  })

  it('contains no payload that is not a vector', () => {
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

  it('lists exactly the fields of the maps in messages', () => {
    for (const [section, fields] of Object.entries(FIELDS)) {
      expect(firstCells('| field | type | meaning |', section), section).to.deep.equal(Object.keys(fields))
    }
  })

  it('has a section with a vector for every kind of message', () => {
    for (const kind of Object.keys(KIND_CODES)) {
      const section = protocolDocument.split(/^##+ /m).find((text) => headingOf(text).includes(kind)) ?? ''
      const shown = messageVectors.filter((vector) => section.includes(messageRow(vector)))
      expect(new Set(shown.map(({ message }) => message.kind)), kind).to.include(kind)
    }
  })

  it('lists exactly the reasons of a goodbye', () => {
    expect(firstCells('| reason | said by | when | dial again? |').sort()).to.deep.equal(Object.keys(REASONS).sort())
  })

  it('says after which reasons a peer dials again soon, and after which rarely, as the code does', () => {
    const rows = [...protocolDocument.matchAll(/^\| `([\w-]+)` \| [^|]+ \| [^|]+ \| (later|rarely)\b/gm)]
    expect(rows.length).to.be.greaterThan(10)
    for (const [, reason = '', when] of rows) {
      const ending = failure(false, dismissal(reason, ''), { undelivered: 0, unconfirmed: 0 })
      expect(isHopeless(ending) ? 'rarely' : 'later', reason).to.equal(when)
    }
  })

  it('has the limits of the code', () => {
    const time = (milliseconds: number) => (milliseconds < 1000 ? `${milliseconds} ms` : `${milliseconds / 1000} s`)
    const {
      frameBytes: frame,
      windowBytes: window,
      handshakeTimeout,
      pendingHandshakes: handshakes,
      pendingRequests,
      rescanInterval: rescan,
      pingInterval: ping,
      silentPings,
    } = DEFAULT_LIMITS
    const { redialMin, redialMax } = DEFAULT_LIMITS
    const rows = [
      ['version', `${PROTOCOL_VERSIONS[1]}`],
      ['frame before the handshake', `${HANDSHAKE_FRAME_BYTES.toLocaleString('en')} bytes`],
      ['name of a type, pattern', `${MAX_TYPE_BYTES} bytes`],
      ['nonce, proof', `${NONCE_BYTES} bytes`],
      ['nesting of a payload', `${MAX_DEPTH} levels`],
      ['integer over 64 bits', `9 to ${MAX_BIGINT_BYTES.toLocaleString('en')} bytes`],
      ['frame after the handshake', `${frame / 2 ** 20} MiB, at most ${MAX_FRAME_BYTES / 2 ** 20} MiB`],
      ['handshake', time(handshakeTimeout)],
      ['connections without a handshake', `${handshakes}`],
      ['requests of one asker to one responder without an answer', pendingRequests.toLocaleString('en')],
      ['events ahead of credit', `${window / 2 ** 20} MiB`],
      ['between two listings of the directory', time(rescan)],
      ['between two looks for silent peers; from the second on, a silent peer gets a ping', time(ping)],
      ['unanswered pings after which a peer is called unresponsive', `${silentPings}`],
      ['time until the next dial', `random, up to ${time(redialMin)}, doubling up to ${time(redialMax)}`],
    ]
    for (const [what, value] of rows) expect(protocolDocument).to.contain(`| ${what} | ${value} |`)
  })

  it('has no broken links to its sections', () => {
    const anchors = anchorsOf(protocolDocument)
    for (const [, anchor] of protocolDocument.matchAll(/\]\(#([^)]+)\)/g)) expect(anchors).to.include(anchor)
  })
})
