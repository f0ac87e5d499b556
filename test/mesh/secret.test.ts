import { createHash, createHmac } from 'node:crypto'
import { inspect } from 'node:util'
import { expect } from 'chai'
import fc from 'fast-check'
import { Unauthenticated } from '../../src'
import { isSameProof, NONCE_BYTES, proofsOf, type Role, Secret, type Side, type Sides } from '../../src/mesh/secret'
import type { Hello } from '../../src/wire/message'
import { helloFields } from '../support/raw-peer'
import { proofVectors } from '../support/vectors'

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

const side: fc.Arbitrary<Side> = fc.record({
  name: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/),
  id: fc.stringMatching(/^[0-9a-z]{13}$/),
  nonce: fc.uint8Array({ minLength: NONCE_BYTES, maxLength: NONCE_BYTES }),
})
const role = fc.constantFrom<Role>('dialler', 'acceptor')
const sides: fc.Arbitrary<Sides> = fc.record({ dialler: side, acceptor: side })
const secret = fc.uint8Array({ minLength: 1, maxLength: 100 })

describe('a proof', () => {
  for (const vector of proofVectors) {
    it(`matches the vector: ${vector.name}`, () => {
      const [dialler, acceptor] = [vector.dialler, vector.acceptor].map(({ nonce, ...address }) => {
        return { ...address, nonce: Buffer.from(nonce, 'hex') }
      })
      if (!dialler || !acceptor) return expect.fail('two sides')
      const asRole = vector.role === 'dialler' ? 'dialler' : 'acceptor'
      expect(hex(new Secret(vector.secret).proof(asRole, { dialler, acceptor }))).to.equal(vector.proof)
    })
  }

  it('is the same for a secret as text and as its UTF-8 bytes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), role, sides, (text, asRole, between) => {
        const proof = new Secret(text).proof(asRole, between)
        expect(new Secret(Buffer.from(text)).proof(asRole, between)).to.deep.equal(proof)
        expect(proof).to.have.length(32)
      }),
    )
  })

  it('differs for another secret, role, nonce, id or name, and for swapped sides', () => {
    fc.assert(
      fc.property(secret, secret, role, sides, sides, (key, otherKey, asRole, between, others) => {
        const known = new Secret(key)
        const variants: Uint8Array[] = [known.proof(asRole, between)]
        if (!Buffer.from(key).equals(otherKey)) variants.push(new Secret(otherKey).proof(asRole, between))
        variants.push(known.proof(asRole === 'dialler' ? 'acceptor' : 'dialler', between))
        variants.push(known.proof(asRole, { dialler: between.acceptor, acceptor: between.dialler }))
        for (const changed of ['dialler', 'acceptor'] as const) {
          for (const field of ['name', 'id', 'nonce'] as const) {
            if (hex(Buffer.from(between[changed][field])) === hex(Buffer.from(others[changed][field]))) continue
            const other = { ...between[changed], [field]: others[changed][field] }
            variants.push(known.proof(asRole, { ...between, [changed]: other }))
          }
        }
        const proofs = variants.map(hex)
        expect(proofs).to.deep.equal([...new Set(proofs)])
      }),
    )
  })

  it('differs for secrets that HMAC alone treats as equal: trailing zeros, and the hash of a long one', () => {
    const between: Sides = {
      dialler: { name: 'till', id: '1'.repeat(13), nonce: Buffer.alloc(NONCE_BYTES, 1) },
      acceptor: { name: 'shop', id: '2'.repeat(13), nonce: Buffer.alloc(NONCE_BYTES, 2) },
    }
    const long = Buffer.alloc(65, 'long')
    const pairs: [Buffer, Buffer][] = [
      [Buffer.from([4]), Buffer.from([4, 0])],
      [long, createHash('sha256').update(long).digest()],
    ]
    for (const [one, other] of pairs) {
      const [proof, otherProof] = [one, other].map((key) => hex(new Secret(key).proof('dialler', between)))
      expect(proof).not.to.equal(otherProof)
    }
  })

  it('cannot be computed from the SHA-256 of the secret, which people publish to compare files', () => {
    for (const { secret, input, proof } of proofVectors) {
      const told = createHash('sha256').update(secret).digest()
      expect(createHmac('sha256', told).update(Buffer.from(input, 'hex')).digest('hex')).not.to.equal(proof)
    }
  })

  it('is compared in full', () => {
    const proof = Buffer.alloc(32, 7)
    expect(isSameProof(proof, Buffer.from(proof))).to.equal(true)
    for (const at of [0, 15, 31]) {
      const other = Buffer.from(proof)
      other[at] = 8
      expect(isSameProof(proof, other)).to.equal(false)
    }
    for (const length of [0, 31, 33]) expect(isSameProof(proof, Buffer.alloc(length, 7))).to.equal(false)
  })
})

describe('a secret', () => {
  it('makes a different nonce for every link', () => {
    const known = new Secret('open sesame')
    const nonces = Array.from({ length: 1000 }, () => known.nonce())
    expect(new Set(nonces.map(hex)).size).to.equal(1000)
    for (const nonce of nonces) expect(nonce).to.have.length(NONCE_BYTES)
  })

  it('does not appear in inspect or JSON output', () => {
    const text = inspect(new Secret('open sesame'), { depth: Number.POSITIVE_INFINITY, showHidden: true })
    for (const form of ['sesame', hex(Buffer.from('sesame')), '6f 70 65 6e']) expect(text).not.to.contain(form)
    expect(JSON.stringify(new Secret('open sesame'))).to.equal('{}')
  })
})

describe('proofsOf', () => {
  const hello = (name: string, nonce?: number): Hello =>
    helloFields({
      name,
      id: name.padStart(13, '0'),
      ...(nonce !== undefined && { nonce: Buffer.alloc(NONCE_BYTES, nonce) }),
    })
  const known = new Secret('open sesame')

  it('gives each side the proof that the other expects', () => {
    const [shop, till] = [hello('shop', 1), hello('till', 2)]
    const atShop = proofsOf(known, 'acceptor', shop, till)
    const atTill = proofsOf(known, 'dialler', till, shop)
    expect(atShop).to.deep.equal({ ours: atTill?.theirs, theirs: atTill?.ours })
    expect(atShop?.ours).not.to.deep.equal(atShop?.theirs)
  })

  it('gives no proofs if neither side has a secret', () => {
    expect(proofsOf(undefined, 'dialler', hello('shop'), hello('till'))).to.equal(undefined)
  })

  it('refuses a link of which only one side has a secret', () => {
    expect(() => proofsOf(known, 'acceptor', hello('shop', 1), hello('till'))).to.throw(
      Unauthenticated,
      'till~000000000till has no secret and this endpoint has one; start both with the same',
    )
    expect(() => proofsOf(undefined, 'dialler', hello('shop'), hello('till', 2))).to.throw(
      Unauthenticated,
      'till~000000000till has a secret and this endpoint has none; start both with the same',
    )
  })
})
