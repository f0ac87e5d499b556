import { runInThisContext } from 'node:vm'
import messages from '../vectors/messages.json'
import payloads from '../vectors/payloads.json'
import proofs from '../vectors/proofs.json'

/** The whole frame of a message, and its content. */
export interface MessageVector {
  readonly name: string
  readonly meaning: string
  readonly hex: string
  readonly message: { readonly kind: string; readonly payload?: unknown }
  /** Whether this form is only read, and never written. */
  readonly readOnly?: boolean
}

/** The whole frame of an event of type `t`, for a payload. */
export interface PayloadVector {
  readonly name: string
  /** The expression whose value is sent; without one, the form is only read, and never written. */
  readonly sent?: string
  readonly hex: string
  /** The expression whose value is received. */
  readonly arrives: string
}

/** A proof, and the inputs of its HMAC. */
export interface ProofVector {
  readonly name: string
  /** In UTF-8. */
  readonly secret: string
  readonly role: string
  readonly dialler: ProofSide
  readonly acceptor: ProofSide
  readonly input: string
  readonly proof: string
}

interface ProofSide {
  readonly name: string
  readonly id: string
  readonly nonce: string
}

export const messageVectors: readonly MessageVector[] = messages
export const payloadVectors: readonly PayloadVector[] = payloads
export const proofVectors: readonly ProofVector[] = proofs

/** The value of an expression in a vector. */
export function evaluate(expression: string): unknown {
  return runInThisContext(`(${expression})`)
}
