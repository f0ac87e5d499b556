import { expect } from 'chai'
import type { Received } from './participant-procedures'

/** Expects `count` numbers from `first` on, once each and in order, all from one sender. */
export function expectNumbers(events: readonly Received[], origin: string, count: number, first = 0): void {
  const wrong = events.findIndex((event, index) => event.number !== first + index || event.origin !== origin)
  const got = JSON.stringify(events[wrong])
  expect(wrong, `expected ${first + wrong} from ${origin} at place ${wrong}, got ${got}`).to.equal(-1)
  expect(events).to.have.lengthOf(count)
}
