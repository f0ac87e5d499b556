import { expect } from 'chai'
import { helloOf } from '../../src/mesh/agreement'
import { Handshake } from '../../src/mesh/handshake'
import { NONCE_BYTES, proofsOf, Secret } from '../../src/mesh/secret'
import { ProtocolViolation, Unauthenticated } from '../../src/model/errors'
import type { Address } from '../../src/platform/address'
import type { Hello, Message } from '../../src/wire/message'
import { violation } from '../support/violation'

const TILL: Address = { name: 'till', id: '0000000000abc' }
const SHOP: Address = { name: 'shop', id: '0000000000abd' }
const SECRET = new Secret('open sesame')

function introduce(self: Address, secret?: Secret): Hello {
  const limits = { frameLimit: 4096, window: 65_536, requestLimit: 16, accepts: undefined }
  return helloOf({ ...self, groups: [], pid: 1, ...limits }, secret?.nonce())
}

/** One side of a link. */
class End {
  readonly sent: Message[] = []
  readonly decisions: Hello[] = []
  readonly hello: Hello
  readonly handshake: Handshake

  constructor(self: Address, secret: Secret | undefined, expected?: Address) {
    this.hello = introduce(self, secret)
    this.handshake = new Handshake({ hello: () => this.hello, secret }, expected, {
      send: (message) => this.sent.push(message),
      decide: (peer) => this.decisions.push(peer),
    })
    this.handshake.begin()
  }
}

/** Hands each side what the other has sent since. */
function exchange(one: End, other: End): void {
  for (const [sender, receiver] of [
    [one, other],
    [other, one],
  ] as const) {
    for (const message of sender.sent.splice(0)) receiver.handshake.onMessage(message)
  }
}

describe('Handshake', () => {
  describe('without a secret', () => {
    it('answers a hello only when it is accepted', () => {
      const [dialler, acceptor] = [new End(TILL, undefined, SHOP), new End(SHOP, undefined)]
      exchange(dialler, acceptor)
      expect(acceptor.decisions).to.deep.equal([dialler.hello])
      expect(acceptor.sent).to.deep.equal([])
      expect(acceptor.handshake.accept()).to.equal(true)
      expect(acceptor.sent).to.deep.equal([acceptor.hello])
      exchange(acceptor, dialler)
      expect(dialler.decisions).to.deep.equal([acceptor.hello])
      expect(dialler.handshake.accept()).to.equal(true)
      expect(dialler.sent).to.deep.equal([])
    })

    it('knows the peer and the agreed limits from the hello on', () => {
      const acceptor = new End(SHOP, undefined)
      expect(acceptor.handshake.peer).to.equal(undefined)
      expect(acceptor.handshake.agreement).to.equal(undefined)
      const hello = { ...introduce(TILL), requestLimit: 7 }
      acceptor.handshake.onMessage(hello)
      expect(acceptor.handshake.peer).to.equal(hello)
      expect(acceptor.handshake.agreement).to.deep.equal({
        sendLimit: 4096,
        requestLimit: 7,
        takesBigints: true,
        takesRecords: true,
      })
    })

    it('needs no proof, and gives none with a refusal', () => {
      const acceptor = new End(SHOP, undefined)
      expect(acceptor.handshake.isProven).to.equal(true)
      acceptor.handshake.onMessage(introduce(TILL))
      expect(acceptor.handshake.refusalProof).to.equal(undefined)
    })

    it('accepts once, and not before there is a peer', () => {
      const acceptor = new End(SHOP, undefined)
      expect(acceptor.handshake.accept()).to.equal(false)
      acceptor.handshake.onMessage(introduce(TILL))
      expect([acceptor.handshake.accept(), acceptor.handshake.accept()]).to.deep.equal([true, false])
      expect(acceptor.sent).to.have.length(1)
    })

    it('takes no answer but that of the dialled address', () => {
      const dialler = new End(TILL, undefined, SHOP)
      expect(violation(() => dialler.handshake.onMessage(introduce({ ...SHOP, id: '0000000000abe' })))).to.equal(
        'wrong-peer',
      )
      expect(dialler.decisions).to.deep.equal([])
    })
  })

  describe('with a secret', () => {
    it('exchanges hellos, then proofs, and the acceptor decides before it proves anything', () => {
      const [dialler, acceptor] = [new End(TILL, SECRET, SHOP), new End(SHOP, SECRET)]
      exchange(dialler, acceptor)
      expect(acceptor.handshake.state).to.equal('proving')
      expect(acceptor.decisions).to.deep.equal([])
      expect(dialler.sent.map(({ kind }) => kind)).to.deep.equal(['proof'])
      exchange(dialler, acceptor)
      expect(acceptor.handshake.isProven).to.equal(true)
      expect(acceptor.decisions).to.deep.equal([dialler.hello])
      expect(acceptor.sent).to.deep.equal([])
      expect(dialler.handshake.isProven).to.equal(false)
      acceptor.handshake.accept()
      expect(acceptor.sent.map(({ kind }) => kind)).to.deep.equal(['proof'])
      exchange(acceptor, dialler)
      expect(dialler.handshake.isProven).to.equal(true)
      expect(dialler.decisions).to.deep.equal([acceptor.hello])
    })

    it('gives its proof with a refusal, as long as it decides', () => {
      const [dialler, acceptor] = [new End(TILL, SECRET, SHOP), new End(SHOP, SECRET)]
      const proofs = proofsOf(SECRET, 'acceptor', acceptor.hello, dialler.hello)
      exchange(dialler, acceptor)
      expect(acceptor.handshake.refusalProof).to.equal(undefined)
      exchange(dialler, acceptor)
      expect(acceptor.handshake.refusalProof).to.deep.equal(proofs?.ours)
      acceptor.handshake.accept()
      expect(acceptor.handshake.refusalProof).to.equal(undefined)
    })

    it('believes a refusal that carries the proof', () => {
      const [dialler, acceptor] = [new End(TILL, SECRET, SHOP), new End(SHOP, SECRET)]
      exchange(dialler, acceptor)
      exchange(dialler, acceptor)
      expect(dialler.handshake.verifyProof(Buffer.alloc(32))).to.equal(false)
      expect(dialler.handshake.isProven).to.equal(false)
      expect(dialler.handshake.verifyProof(acceptor.handshake.refusalProof ?? Buffer.alloc(0))).to.equal(true)
      expect(dialler.handshake.isProven).to.equal(true)
    })

    it('refuses a wrong proof, and names the peer but neither secret nor proof', () => {
      const acceptor = new End(SHOP, SECRET)
      const hello = introduce(TILL, new Secret('open barley'))
      acceptor.handshake.onMessage(hello)
      const proof = Buffer.alloc(32, 'p')
      expect(() => acceptor.handshake.onMessage({ kind: 'proof', proof })).to.throw(
        Unauthenticated,
        /^till~0000000000abc has not proved that it knows the secret; start both with the same$/,
      )
      expect(acceptor.handshake.isProven).to.equal(false)
      expect(acceptor.decisions).to.deep.equal([])
    })

    it('has no valid proof before the hello of the peer', () => {
      const { handshake } = new End(SHOP, SECRET)
      expect(handshake.verifyProof(Buffer.alloc(32))).to.equal(false)
    })
  })

  it('refuses every other message, with its kind and the state', () => {
    const greeting = new End(SHOP, SECRET)
    const proving = new End(SHOP, SECRET)
    proving.handshake.onMessage(introduce(TILL, SECRET))
    const deciding = new End(SHOP, undefined)
    deciding.handshake.onMessage(introduce(TILL))
    const proof: Message = { kind: 'proof', proof: Buffer.alloc(NONCE_BYTES) }
    const hello = introduce(TILL)
    for (const [{ handshake }, messages] of [
      [greeting, [proof, { kind: 'ready' }]],
      [proving, [hello, { kind: 'ready' }]],
      [deciding, [hello, proof, { kind: 'ready' }]],
    ] as const) {
      for (const message of messages) {
        const expected = `unexpected-message: a message of kind ${message.kind} came in state ${handshake.state}`
        expect(() => handshake.onMessage(message)).to.throw(ProtocolViolation, expected)
      }
    }
  })
})
