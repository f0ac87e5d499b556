import type { KeyObject } from 'node:crypto'
import { Unauthenticated } from '../model/errors'
import type { Address } from '../platform/address'
import type { Hello } from '../wire/message'

/** Loaded on first use: without a secret, importing it would be a good part of this package's load time. */
const crypto = () => process.getBuiltinModule('node:crypto')

/** As long as a proof, so that guessing one is as hard as guessing the other. */
export const NONCE_BYTES = 32

/** Separates the proofs of this protocol from other uses of the same secret. */
const LABEL = 'lahja/1 proof'

/** Keeps the key from being the plain hash of the secret, which people publish to compare files. */
const KEY_LABEL = 'lahja/1 secret'

/** One side of a link during the handshake: who it says it is, and its nonce. */
export interface Side extends Address {
  readonly nonce: Uint8Array
}

export type Role = 'dialler' | 'acceptor'

export type Sides = Readonly<Record<Role, Side>>

/** The secret of a bus. It is never sent: each side of a link proves to the other that it knows it. */
export class Secret {
  readonly #key: KeyObject

  /**
   * The key is a hash, as HMAC itself treats some different secrets as the same key: those that differ in trailing
   * zeros, or a long one and its hash (RFC 2104, section 2).
   *
   * @param value a string stands for its UTF-8 bytes
   */
  constructor(value: string | Uint8Array) {
    const hash = crypto().createHash('sha256').update(`${KEY_LABEL}\0`).update(value)
    this.#key = crypto().createSecretKey(hash.digest())
  }

  /** Random bytes, to be used for one link. */
  nonce(): Uint8Array {
    return crypto().randomBytes(NONCE_BYTES)
  }

  /** The proof of one side of a link. It needs the secret, and is valid for that side and link only. */
  proof(role: Role, { dialler, acceptor }: Sides): Uint8Array {
    const hmac = crypto().createHmac('sha256', this.#key)
    for (const part of [LABEL, role]) hmac.update(`${part}\0`)
    for (const { nonce } of [dialler, acceptor]) hmac.update(nonce)
    for (const { id, name } of [dialler, acceptor]) hmac.update(`${id}${name}\0`)
    return hmac.digest()
  }
}

/** Compares in constant time. */
export function isSameProof(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && crypto().timingSafeEqual(one, other)
}

/** The proof that each side of a link has to send to the other. */
export interface Proofs {
  readonly ours: Uint8Array
  readonly theirs: Uint8Array
}

/**
 * The proofs of a link between two endpoints with a secret; undefined if neither has one.
 *
 * @throws Unauthenticated if only one of them has a secret
 */
export function proofsOf(secret: Secret | undefined, role: Role, ours: Hello, theirs: Hello): Proofs | undefined {
  const [own, other] = [ours.nonce, theirs.nonce]
  const peer = `${theirs.name}~${theirs.id}`
  if (!secret || !own) {
    if (other) throw new Unauthenticated(`${peer} has a secret and this endpoint has none; start both with the same`)
    return undefined
  }
  if (!other) throw new Unauthenticated(`${peer} has no secret and this endpoint has one; start both with the same`)
  const [us, them] = [
    { ...ours, nonce: own },
    { ...theirs, nonce: other },
  ]
  const sides = role === 'dialler' ? { dialler: us, acceptor: them } : { dialler: them, acceptor: us }
  const otherRole = role === 'dialler' ? 'acceptor' : 'dialler'
  return { ours: secret.proof(role, sides), theirs: secret.proof(otherRole, sides) }
}
