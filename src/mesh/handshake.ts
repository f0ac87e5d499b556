import { Unauthenticated } from '../model/errors'
import type { Address } from '../platform/address'
import type { Hello, Message } from '../wire/message'
import { type Agreement, agree } from './agreement'
import { unexpected } from './link-ending'
import { isSameProof, type Proofs, proofsOf, type Secret } from './secret'

/**
 *     greeting ──hello──▶ deciding ──accept──▶ accepted
 *         └──hello──▶ proving ──proof──▲
 *
 * The dialler sends its hello first, the acceptor when it accepts. With a secret, both also send a proof: the acceptor
 * then answers a hello with its own at once, and sends its proof when it accepts.
 */
export type HandshakeState = 'greeting' | 'proving' | 'deciding' | 'accepted'

export interface HandshakeContext {
  /** Makes our hello, with a nonce of its own for each link if there is a secret. */
  readonly hello: () => Hello
  readonly secret?: Secret | undefined
}

export interface HandshakeEvents {
  send(message: Message): void
  /** The peer's hello is valid, and so is its proof if there is a secret: accept the link or refuse it. */
  decide(peer: Hello): void
}

/** Learns who the peer is, has it prove that it knows the secret, and leaves the decision to its owner. */
export class Handshake {
  readonly #secret: Secret | undefined
  readonly #expected: Address | undefined
  readonly #events: HandshakeEvents
  readonly #hello: Hello
  #state: HandshakeState = 'greeting'
  #peer: Hello | undefined
  #agreement: Agreement | undefined
  #proofs: Proofs | undefined
  #isProven: boolean

  /** @param expected the address that was dialled; undefined on the acceptor's side */
  constructor({ hello, secret }: HandshakeContext, expected: Address | undefined, events: HandshakeEvents) {
    this.#secret = secret
    this.#expected = expected
    this.#events = events
    this.#hello = hello()
    this.#isProven = secret === undefined
  }

  get state(): HandshakeState {
    return this.#state
  }

  /** The peer's hello, once it has arrived. */
  get peer(): Hello | undefined {
    return this.#peer
  }

  get agreement(): Agreement | undefined {
    return this.#agreement
  }

  /** Whether the peer has proved that it knows the secret; true if there is none. */
  get isProven(): boolean {
    return this.#isProven
  }

  /** Our proof, if a goodbye has to carry it: a refusal counts only with the proof that an acceptance would have sent. */
  get refusalProof(): Uint8Array | undefined {
    return this.#state === 'deciding' ? this.#proofs?.ours : undefined
  }

  /** Sends our hello, if we are the dialler. */
  begin(): void {
    if (this.#expected) this.#events.send(this.#hello)
  }

  /** @throws ProtocolViolation, Unauthenticated */
  onMessage(message: Message): void {
    if (this.#state === 'greeting' && message.kind === 'hello') return this.#onHello(message)
    if (this.#state === 'proving' && message.kind === 'proof') return this.#onProof(message.proof)
    throw unexpected(message, this.#state)
  }

  /** Answers the dialler. Returns false if there is nothing to decide, not yet or not any more. */
  accept(): boolean {
    if (this.#state !== 'deciding') return false
    if (!this.#expected) this.#events.send(this.#proofs ? { kind: 'proof', proof: this.#proofs.ours } : this.#hello)
    this.#state = 'accepted'
    return true
  }

  /** Checks a proof of the peer, from a message of its own or from its goodbye. */
  verifyProof(proof: Uint8Array): boolean {
    const isValid = this.#proofs !== undefined && isSameProof(proof, this.#proofs.theirs)
    if (isValid) this.#isProven = true
    return isValid
  }

  #onHello(hello: Hello): void {
    this.#agreement = agree(this.#hello, hello, this.#expected)
    this.#peer = hello
    const role = this.#expected ? 'dialler' : 'acceptor'
    this.#proofs = proofsOf(this.#secret, role, this.#hello, hello)
    if (!this.#proofs) return this.#decide(hello)
    this.#events.send(this.#expected ? { kind: 'proof', proof: this.#proofs.ours } : this.#hello)
    this.#state = 'proving'
  }

  #onProof(proof: Uint8Array): void {
    const peer = this.#peer
    if (peer && this.verifyProof(proof)) return this.#decide(peer)
    const text = `${peer?.name}~${peer?.id} has not proved that it knows the secret; start both with the same`
    throw new Unauthenticated(text)
  }

  #decide(peer: Hello): void {
    this.#state = 'deciding'
    this.#events.decide(peer)
  }
}
