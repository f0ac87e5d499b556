import { runInThisContext } from 'node:vm'
import messages from './vectors/messages.json'
import payloads from './vectors/payloads.json'

/** The whole frame of a message, and what it says. */
export interface MessageVector {
  readonly name: string
  readonly meaning: string
  readonly hex: string
  readonly message: { readonly kind: string; readonly payload?: unknown }
  /** Is it only read, and never written like this? */
  readonly readOnly?: boolean
}

/** The whole frame of an event of type `t`, for a payload. */
export interface PayloadVector {
  readonly name: string
  /** The expression whose value is sent; where there is none, the form is only read and never written. */
  readonly sent?: string
  readonly hex: string
  /** The expression whose value arrives. */
  readonly arrives: string
}

export const messageVectors: readonly MessageVector[] = messages
export const payloadVectors: readonly PayloadVector[] = payloads

/** The value of an expression in a vector. */
export function evaluate(expression: string): unknown {
  return runInThisContext(`(${expression})`)
}
