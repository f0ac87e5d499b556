import type { KeyObject } from 'node:crypto'
import type { Address } from '../platform/address'

/** Loaded where there is a secret: that takes a good part of the time that all of an import may take. */
const crypto = () => process.getBuiltinModule('node:crypto')

/** Of a nonce: as many as of a proof, so that guessing one is as hard as guessing the other. */
export const NONCE_BYTES = 32

/** Keeps a proof of this protocol from being one of anything else that the same secret is used for. */
const LABEL = 'lahja/1 proof'

/** Keeps the key of the proofs from being the plain hash of the secret, which is no secret where people compare files. */
const KEY_LABEL = 'lahja/1 secret'

/** One side of a link that is about to be: who it says it is, and what the proofs of this link have to be fresh for. */
export interface Side extends Address {
  readonly nonce: Uint8Array
}

/** Which side of a link one is on. */
export type Role = 'dialler' | 'acceptor'

/** The sides of one link. */
export type Sides = Readonly<Record<Role, Side>>

/** What those who may be on the bus know. It is never told: each side only proves to the other that it knows it. */
export class Secret {
  readonly #key: KeyObject

  /**
   * Hashed, since HMAC takes two keys for one that differ in zeros at the end, or are a long one and its hash
   * (RFC 2104, section 2).
   * @param value a string stands for its bytes in UTF-8
   */
  constructor(value: string | Uint8Array) {
    const hash = crypto().createHash('sha256').update(`${KEY_LABEL}\0`).update(value)
    this.#key = crypto().createSecretKey(hash.digest())
  }

  /** Random bytes, for one link only. */
  nonce(): Uint8Array {
    return crypto().randomBytes(NONCE_BYTES)
  }

  /** What that side of the link has to say; nobody else can say it, and it is of no use on any other link. */
  proof(role: Role, { dialler, acceptor }: Sides): Uint8Array {
    const hmac = crypto().createHmac('sha256', this.#key)
    for (const part of [LABEL, role]) hmac.update(`${part}\0`)
    for (const { nonce } of [dialler, acceptor]) hmac.update(nonce)
    for (const { id, name } of [dialler, acceptor]) hmac.update(`${id}${name}\0`)
    return hmac.digest()
  }
}

/** Compares in a time that says nothing of where two proofs differ. */
export function isSameProof(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && crypto().timingSafeEqual(one, other)
}
