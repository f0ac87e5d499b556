import { expect } from 'chai'
import { LahjaError } from '../../src'

/** What a promise rejects with, or a call throws: an error of this package, or the test fails. */
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
