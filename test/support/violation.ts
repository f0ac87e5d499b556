import { expect } from 'chai'
import { ProtocolViolation, type Violation } from '../../src/model/errors'

/** The reason of the ProtocolViolation that a call throws. Fails if it throws anything else. */
export function violation(call: () => unknown): Violation {
  try {
    call()
  } catch (error) {
    if (error instanceof ProtocolViolation) return error.reason
    throw error
  }
  expect.fail('expected a violation of the protocol, got none')
}
