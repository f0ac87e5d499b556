import { chownSync, readdirSync } from 'node:fs'
import { inspect } from 'node:util'
import { expect } from 'chai'
import { type Endpoint, LahjaError } from '../../src'
import { NONCE_BYTES, type Role, Secret } from '../../src/mesh/secret'
import type { Hello, Message } from '../../src/wire/message'
import { freshBus, until } from '../support/bus'
import { helloFields, type RawPeer, rawPeers } from '../support/raw-peer'
import { rejection } from '../support/rejection'
import { isRoot } from '../support/user'

const SECRET = 'open sesame'
const SMALLEST = '0000000000000'
const ID = '000000000zzzz'

const HELLO = helloFields({ name: 'stranger', id: ID })

/** A hello that asks for a proof. */
const asking = (changes: Partial<Hello> = {}): Hello => ({ ...HELLO, nonce: Buffer.alloc(NONCE_BYTES, 1), ...changes })

/** The proof of a side that knows the secret. */
function proofBetween(role: Role, dialler: Hello, acceptor: Hello, secret = SECRET): Message {
  const side = ({ name, id, nonce = Buffer.alloc(0) }: Hello) => ({ name, id, nonce })
  return { kind: 'proof', proof: new Secret(secret).proof(role, { dialler: side(dialler), acceptor: side(acceptor) }) }
}

describe('Endpoint with a secret', () => {
  const raw = rawPeers()
  const { dial } = raw
  afterEach(() => {
    process.off('warning', keep)
    for (const printer of printers) process.on('warning', printer)
  })
  const printers = process.listeners('warning')
  const bus = freshBus()
  /** Reported errors, by endpoint name. */
  const errors = new Map<string, LahjaError[]>()
  /** Warnings for errors during a start, before listeners can be added. */
  let warnings: unknown[] = []
  beforeEach(() => {
    errors.clear()
    warnings = []
    for (const printer of printers) process.off('warning', printer)
    process.on('warning', keep)
  })

  function keep(warning: Error): void {
    warnings.push(warning)
  }

  async function start(name: string, secret?: string, limits = {}): Promise<Endpoint> {
    const endpoint = await bus.start(name, { ...(secret !== undefined && { secret }), limits })
    const heard: LahjaError[] = []
    errors.set(name, heard)
    endpoint.on('error', (error) => heard.push(error))
    return endpoint
  }

  /** The codes of errors reported while endpoints started. */
  async function reportedAtStart(): Promise<unknown[]> {
    await until(() => warnings.length > 0)
    return warnings.map((warning) => warning instanceof LahjaError && warning.code)
  }

  /** Listens in the directory, and runs the callback for each connection. */
  function listen(name: string, id: string, visited: (wire: RawPeer) => void) {
    return raw.listen({ directory: bus.directory, name, id }, visited)
  }

  const reasons = (name: string) => (errors.get(name) ?? []).map(({ code }) => code)

  it('links endpoints with the same secret, without any difference to their traffic', async () => {
    const shop = await start('shop', SECRET)
    const received: unknown[] = []
    await shop.subscribe('x', ({ payload, origin }) => received.push([payload, origin])).ready
    const till = await start('till', SECRET)
    expect(await till.broadcast('x', 1)).to.equal(1)
    await until(() => received.length === 1)
    expect(received).to.deep.equal([[1, 'till']])
    expect([...reasons('shop'), ...reasons('till')]).to.deep.equal([])
    await till.close()
    await until(() => shop.peers.length === 0)
  })

  it('G3: keeps one link between any two of twelve endpoints that start at once', async () => {
    const names = Array.from({ length: 12 }, (_, index) => `e${index}`)
    const endpoints = await Promise.all(names.map((name) => start(name, SECRET)))
    await Promise.all(endpoints.map((endpoint) => endpoint.waitUntilConnectedTo(names)))
    for (const endpoint of endpoints) expect(endpoint.peers).to.have.length(11)
    const received: string[] = []
    for (const endpoint of endpoints) endpoint.subscribe('x', () => received.push(endpoint.name))
    await endpoints[0]?.subscribe('done', () => {}).ready
    await Promise.all(endpoints.map((endpoint) => endpoint.waitUntilAllEndpointsSubscribedTo('x')))
    expect(await endpoints[3]?.broadcast('x')).to.equal(12)
    await until(() => received.length >= 12)
    expect(received.sort()).to.deep.equal([...names].sort())
  })

  for (const [what, other] of [
    ['another secret', 'open barley'],
    ['no secret', undefined],
  ] as const) {
    it(`does not link with an endpoint that has ${what}, and both report it`, async () => {
      const shop = await start('shop', SECRET)
      const till = await start('till', other)
      expect(await reportedAtStart(), 'at till').to.deep.equal(['LAHJA_UNAUTHENTICATED'])
      await until(() => reasons('shop').length > 0)
      expect(shop.peers).to.deep.equal([])
      expect(till.peers).to.deep.equal([])
      expect(new Set(reasons('shop'))).to.deep.equal(new Set(['LAHJA_UNAUTHENTICATED']))
      for (const error of [...[...errors.values()].flat(), ...warnings]) {
        expect(error instanceof LahjaError && error.message).to.match(
          /^\w+~\w+.*(; start both with the same|start both with the same secret; its goodbye: )/,
        )
        expect(error instanceof LahjaError && error.message.match(/unauthenticated/g)).to.equal(null)
        expect(inspect(error)).not.to.contain('sesame').and.not.to.contain('barley')
      }
    })
  }

  it('backs off from an endpoint without a secret like from any other that it cannot link with', async () => {
    const rival = await listen('till', ID, (wire) => wire.say({ ...HELLO, name: 'till' }, { kind: 'ready' }))
    const limits = { redialMin: 1, redialMax: 60_000, rescanInterval: 5 }
    const shop = await start('shop', SECRET, limits)
    await until(() => rival.openConnections === 0 && rival.peers.length > 0)
    for (const name of ['a', 'b', 'c']) {
      const other = await start(name, SECRET, { redialMax: 60_000 })
      await shop.waitUntilConnectedTo(name)
      await other.close()
    }
    expect(rival.peers, 'one dial by each').to.have.length(4)
  })

  it('does not show the secret in util.inspect', async () => {
    const shop = await start('shop', SECRET)
    const text = inspect(shop, { depth: Number.POSITIVE_INFINITY, showHidden: true })
    for (const form of ['sesame', Buffer.from('sesame').toString('hex'), '6f 70 65 6e'])
      expect(text).not.to.contain(form)
  })

  describe('facing a stranger,', () => {
    let shop: Endpoint
    beforeEach(async () => {
      shop = await start('shop', SECRET)
    })

    async function expectRefused(wire: RawPeer, reason = 'unauthenticated'): Promise<void> {
      expect((await wire.hears('goodbye')).reason).to.equal(reason)
      await until(() => wire.isClosed && reasons('shop').length > 0)
      expect(shop.peers).to.deep.equal([])
      const code = reason === 'unauthenticated' ? 'LAHJA_UNAUTHENTICATED' : 'LAHJA_PROTOCOL_VIOLATION'
      expect(reasons('shop')).to.deep.equal([code])
    }

    it('accepts one that proves to know the secret', async () => {
      const wire = dial(shop)
      wire.say(asking())
      const hello = await wire.hears('hello')
      wire.say(proofBetween('dialler', asking(), hello))
      expect(await wire.hears('proof')).to.deep.equal(proofBetween('acceptor', asking(), hello))
      wire.say({ kind: 'ready' })
      await shop.waitUntilConnectedTo('stranger')
    })

    it('rejects one whose hello mentions no secret', async () => {
      const wire = dial(shop)
      wire.say(HELLO, { kind: 'ready' })
      await expectRefused(wire)
      expect(wire.heard).to.have.length(1)
    })

    const WRONG: Readonly<Record<string, (hello: Hello) => Message>> = {
      'a proof with another secret': (hello) => proofBetween('dialler', asking(), hello, 'open barley'),
      'a proof for the other side': (hello) => proofBetween('acceptor', asking(), hello),
      'the proof of another endpoint': (hello) => proofBetween('dialler', asking({ name: 'till' }), hello),
      'a proof for another id': (hello) => proofBetween('dialler', asking({ id: SMALLEST }), hello),
      'a proof for another endpoint': (hello) => proofBetween('dialler', asking(), { ...hello, name: 'till' }),
      'a proof for another nonce': (hello) => {
        return proofBetween('dialler', asking(), { ...hello, nonce: Buffer.alloc(NONCE_BYTES) })
      },
      'an empty proof': () => ({ kind: 'proof', proof: Buffer.alloc(0) }),
      'a nonce as its proof': ({ nonce = Buffer.alloc(0) }) => ({ kind: 'proof', proof: nonce }),
    }
    for (const [what, prove] of Object.entries(WRONG)) {
      it(`rejects one that sends ${what}`, async () => {
        const wire = dial(shop)
        wire.say(asking())
        wire.say(prove(await wire.hears('hello')))
        await expectRefused(wire)
        expect(wire.heard.map(({ kind }) => kind)).to.deep.equal(['hello', 'goodbye'])
      })
    }

    it('rejects one with a malformed nonce', async () => {
      const wire = dial(shop)
      wire.say(asking({ nonce: Buffer.alloc(NONCE_BYTES - 1) }))
      await expectRefused(wire, 'malformed')
    })

    for (const message of [
      { kind: 'ready' },
      { kind: 'subscribe', sequence: 1, interests: [{ type: 'x' }] },
      { kind: 'event', type: 'x', payload: 1 },
      { kind: 'request', id: 1, type: 'x', payload: 1 },
      { kind: 'ping' },
      asking(),
    ] as const satisfies Message[]) {
      it(`rejects one that sends ${message.kind} before its proof`, async () => {
        const wire = dial(shop)
        wire.say(asking())
        await wire.hears('hello')
        wire.say(message)
        await expectRefused(wire, 'unexpected-message')
      })
    }

    it('rejects a replayed proof from an earlier link', async () => {
      const member = dial(shop)
      member.say(asking())
      const said = proofBetween('dialler', asking(), await member.hears('hello'))
      member.say(said)
      await member.hears('proof')
      member.destroy()
      const wire = dial(shop)
      wire.say(asking())
      await wire.hears('hello')
      wire.say(said)
      await expectRefused(wire)
    })

    it('rejects a proof relayed from another link', async () => {
      const asDialler = dial(shop)
      asDialler.say(asking())
      const { nonce } = await asDialler.hears('hello')
      // The endpoint's proof as a dialler, for the nonce that it chose as an acceptor.
      await listen('stranger', ID, async (wire) => {
        await wire.hears('hello')
        wire.say({ ...HELLO, nonce })
        asDialler.say(await wire.hears('proof'))
      })
      await expectRefused(asDialler)
    })

    it("rejects one that listens and echoes the endpoint's own messages", async () => {
      const refusals: string[] = []
      await listen('stranger', ID, async (wire) => {
        const { nonce } = await wire.hears('hello')
        wire.say({ ...HELLO, nonce })
        wire.say(await wire.hears('proof'))
        refusals.push((await wire.hears('goodbye')).reason)
      })
      await until(() => refusals.length > 0 && reasons('shop').length > 0)
      expect(refusals).to.deep.equal(['unauthenticated'])
      expect(reasons('shop')).to.deep.equal(['LAHJA_UNAUTHENTICATED'])
      expect(shop.peers).to.deep.equal([])
    })
  })

  it('refuses a nonce at once if it has no secret itself', async () => {
    const shop = await start('shop')
    const wire = dial(shop)
    wire.say(asking())
    expect((await wire.hears('goodbye')).reason).to.equal('unauthenticated')
    expect(wire.heard).to.have.length(1)
  })

  describe('claiming a name,', () => {
    it('G10: lets exactly one of many claim it', async () => {
      const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => bus.start('shop', { secret: SECRET })))
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).to.have.length(1)
      expect(await rejection(bus.start('shop', { secret: SECRET }))).to.include({ code: 'LAHJA_NAME_IN_USE' })
    })

    for (const reason of ['name-in-use', 'name-claimed', 'unauthenticated', 'duplicate', 'left'] as const) {
      it(`keeps it from a stranger that says ${reason}`, async () => {
        const rival = await listen('shop', SMALLEST, (wire) => wire.say({ kind: 'goodbye', reason, text: '' }))
        await start('shop', SECRET)
        expect(rival.peers).to.have.length(1)
        expect(await reportedAtStart()).to.deep.equal(['LAHJA_UNAUTHENTICATED'])
      })
    }

    it('keeps it from a stranger with an invalid proof', async () => {
      await listen('shop', SMALLEST, async (wire) => {
        const { nonce } = await wire.hears('hello')
        wire.say({ ...HELLO, name: 'shop', id: SMALLEST, nonce })
        const { proof } = await wire.hears('proof')
        wire.say({ kind: 'goodbye', reason: 'name-in-use', text: '', proof })
      })
      await start('shop', SECRET)
      expect(await reportedAtStart()).to.deep.equal(['LAHJA_UNAUTHENTICATED'])
    })

    it('keeps it from a stranger that accepts the link', async () => {
      await listen('shop', SMALLEST, (wire) => {
        wire.say({ ...HELLO, name: 'shop', id: SMALLEST }, { kind: 'ready' })
      })
      await start('shop', SECRET)
      expect(await reportedAtStart()).to.deep.equal(['LAHJA_UNAUTHENTICATED'])
    })

    it('G10: yields to a holder that proves to know the secret', async () => {
      await listen('shop', SMALLEST, async (wire) => {
        const own = asking({ name: 'shop', id: SMALLEST })
        const hello = await wire.hears('hello')
        wire.say(own)
        await wire.hears('proof')
        const message = proofBetween('acceptor', hello, own)
        const proof = message.kind === 'proof' ? message.proof : undefined
        wire.say({ kind: 'goodbye', reason: 'name-in-use', text: '', proof })
      })
      expect(await rejection(bus.start('shop', { secret: SECRET }))).to.include({ code: 'LAHJA_NAME_IN_USE' })
    })

    it('does not concede to a rival without a valid proof, whatever its id', async () => {
      let settle = () => {}
      const isSettled = new Promise<void>((resolve) => {
        settle = resolve
      })
      const undecided = await listen('shop', '0000000000001', async (wire) => {
        const own = asking({ name: 'shop', id: '0000000000001' })
        const hello = await wire.hears('hello')
        wire.say(own)
        await wire.hears('proof')
        const message = proofBetween('acceptor', hello, own)
        const proof = message.kind === 'proof' ? message.proof : undefined
        await isSettled
        wire.say({ kind: 'goodbye', reason: 'name-conceded', text: '', proof })
      })
      const starting = start('shop', SECRET)
      await until(() => undecided.openConnections === 1)
      const id = readdirSync(bus.directory).find((file) => !file.includes('~0000000000001'))
      const wire = dial({
        name: 'shop',
        id: id?.slice('shop~'.length, -'.sock'.length) ?? '',
        directory: bus.directory,
      })
      wire.say(asking({ name: 'shop', id: SMALLEST }))
      await wire.hears('hello')
      wire.say({ kind: 'proof', proof: Buffer.alloc(32) })
      expect((await wire.hears('goodbye')).reason).to.equal('unauthenticated')
      settle()
      expect((await starting).name).to.equal('shop')
    })

    it('G10: yields to a silent rival, which may be a stopped holder', async () => {
      await listen('shop', SMALLEST, () => {})
      const starting = bus.start('shop', { secret: SECRET, limits: { handshakeTimeout: 50 } })
      expect(await rejection(starting)).to.include({ code: 'LAHJA_NAME_IN_USE' })
    })

    if (isRoot) {
      for (const [what, act] of [
        ['says nothing', () => {}],
        ['hangs up', (wire: RawPeer) => wire.destroy()],
      ] as const) {
        it(`keeps it from another user's process that ${what}`, async () => {
          const rival = await listen('shop', SMALLEST, act)
          chownSync(rival.path, 12_345, 12_345)
          await start('shop', SECRET, { handshakeTimeout: 50, redialMin: 5 })
          expect(await reportedAtStart()).to.deep.equal(['LAHJA_UNAUTHENTICATED'])
        })
      }

      it("G10: yields to another user's silent process if it has no secret", async () => {
        const rival = await listen('shop', SMALLEST, () => {})
        chownSync(rival.path, 12_345, 12_345)
        const error = await rejection(bus.start('shop', { limits: { handshakeTimeout: 50 } }))
        expect(error).to.include({ code: 'LAHJA_NAME_IN_USE' })
      })
    }
  })
})
