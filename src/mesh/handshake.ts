import type { Identity } from '../model/audience'
import { describe, ProtocolViolation, Unauthenticated } from '../model/errors'
import { HANDSHAKE_FRAME_BYTES } from '../model/limits'
import { isName } from '../model/name'
import { type Address, isId } from '../platform/address'
import type { Hello } from '../wire/message'
import { NONCE_BYTES, type Role, type Secret } from './secret'

/** The versions of the protocol that this code speaks. */
export const PROTOCOL_VERSIONS = [1, 1] as const

/** What an endpoint is, and what it takes. */
export interface Introduction extends Address, Identity {
  readonly pid: number
  readonly frameLimit: number
  readonly window: number
  readonly requestLimit: number
  readonly accepts: readonly string[] | undefined
}

/** What an endpoint says of itself, with a nonce where it asks for a proof. */
export function helloOf({ name, id, groups, pid, ...limits }: Introduction, nonce?: Uint8Array): Hello {
  const hello = { kind: 'hello', versions: PROTOCOL_VERSIONS, name, id, groups, pid, ...limits } as const
  return nonce ? { ...hello, nonce } : hello
}

/** What the two sides of a link have agreed on. */
export interface Agreement {
  readonly version: number
  /** Bytes of body that the peer takes in a frame we send. */
  readonly sendLimit: number
  /** Requests to the peer that may wait for a response at a time. */
  readonly requestLimit: number
}

/**
 * Holds a peer's hello against ours.
 *
 * @param expected who has to answer, where we dialled an address
 * @throws ProtocolViolation if the peer is someone else, or speaks no version that we speak
 */
export function agree(ours: Hello, theirs: Hello, expected: Address | undefined): Agreement {
  if (!isName(theirs.name) || !isId(theirs.id) || !theirs.groups.every(isName)) {
    const got = [theirs.name, theirs.id, ...theirs.groups].map(describe).join(', ')
    throw new ProtocolViolation('malformed', `hello: expected a valid name, id and groups, got ${got}`)
  }
  if (expected && (theirs.name !== expected.name || theirs.id !== expected.id)) {
    const [want, got] = [expected, theirs].map(({ name, id }) => `${name}~${id}`)
    throw new ProtocolViolation('wrong-peer', `expected ${want} at its address, got ${got}`)
  }
  if (theirs.nonce && theirs.nonce.length !== NONCE_BYTES) {
    throw new ProtocolViolation('malformed', `hello.nonce: expected ${NONCE_BYTES} bytes, got ${theirs.nonce.length}`)
  }
  const version = Math.min(ours.versions[1], theirs.versions[1])
  if (version < Math.max(ours.versions[0], theirs.versions[0])) {
    const [want, got] = [ours, theirs].map(({ versions }) => versions.join(' to '))
    throw new ProtocolViolation('version-mismatch', `expected a protocol version of ${want}, got ${got}`)
  }
  if (theirs.frameLimit < HANDSHAKE_FRAME_BYTES) {
    const got = theirs.frameLimit
    throw new ProtocolViolation('malformed', `hello.frameLimit: expected at least ${HANDSHAKE_FRAME_BYTES}, got ${got}`)
  }
  if (theirs.window < 1 || theirs.requestLimit < 1) {
    const got = `${theirs.window} and ${theirs.requestLimit}`
    throw new ProtocolViolation('malformed', `hello: expected a window and a requestLimit of at least 1, got ${got}`)
  }
  return {
    version,
    sendLimit: Math.min(ours.frameLimit, theirs.frameLimit),
    requestLimit: Math.min(ours.requestLimit, theirs.requestLimit),
  }
}

/** What each side of a link has to say before the other believes that it knows the secret. */
export interface Proofs {
  readonly ours: Uint8Array
  readonly theirs: Uint8Array
}

/**
 * The proofs of a link between two that have a secret; none where neither has one.
 *
 * @throws Unauthenticated if only one has
 */
export function proofsOf(secret: Secret | undefined, role: Role, ours: Hello, theirs: Hello): Proofs | undefined {
  const [own, other] = [ours.nonce, theirs.nonce]
  const who = `${theirs.name}~${theirs.id}`
  if (!secret || !own) {
    if (other) throw new Unauthenticated(`expected ${who} to ask for no proof, as there is no secret here`)
    return undefined
  }
  if (!other) throw new Unauthenticated(`expected ${who} to know the secret, got a hello that has none`)
  const [us, them] = [
    { ...ours, nonce: own },
    { ...theirs, nonce: other },
  ]
  const sides = role === 'dialler' ? { dialler: us, acceptor: them } : { dialler: them, acceptor: us }
  const otherRole = role === 'dialler' ? 'acceptor' : 'dialler'
  return { ours: secret.proof(role, sides), theirs: secret.proof(otherRole, sides) }
}

/** Does the first of two incarnations come before the second, where one of them has to give way? */
export function precedes(id: string, other: string): boolean {
  return id < other
}
