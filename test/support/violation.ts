import { expect } from 'chai'
import { ProtocolViolation, type ViolationReason } from '../../src/model/errors'

/** The reason for which a call finds that a peer has broken the protocol, or the test fails. */
export function violation(call: () => unknown): ViolationReason {
  try {
    call()
  } catch (error) {
    if (error instanceof ProtocolViolation) return error.reason
    throw error
  }
  expect.fail('expected a violation of the protocol, got none')
}
