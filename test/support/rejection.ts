import { expect } from 'chai'
import { LahjaError } from '../../src'

/** The error with which a promise rejects or a call throws. Fails unless it is an error of this package. */
export async function rejection(attempt: Promise<unknown> | (() => unknown)): Promise<LahjaError> {
  let outcome: unknown
  try {
    outcome = await (typeof attempt === 'function' ? attempt() : attempt)
  } catch (error) {
    if (error instanceof LahjaError) return error
    throw error
  }
  expect.fail(`expected a rejection, got ${JSON.stringify(outcome)}`)
}

/** The code of that error. */
export async function rejectionCode(attempt: Promise<unknown> | (() => unknown)): Promise<string> {
  return (await rejection(attempt)).code
}
