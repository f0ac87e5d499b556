import { expect } from 'chai'
import { z } from 'zod'
import {
  defineEvent,
  defineRequest,
  type Endpoint,
  InvalidPayload,
  RemoteError,
  type StandardSchema,
  UnexpectedResponse,
} from '../../src'
import { freshBus, until } from '../support/bus'
import { ODD_ANSWERS } from '../support/odd-answers'
import { rejection } from '../support/rejection'
import { reportsOf } from '../support/reports'

/** Longer than a test: a request that gets no answer fails it. */
const NEVER = { timeout: Number.POSITIVE_INFINITY }

describe('A schema that answers oddly', () => {
  const bus = freshBus()
  let asker: Endpoint
  let shop: Endpoint

  beforeEach(async () => {
    ;({ asker, shop } = await bus.startAll('asker', 'shop'))
  })

  for (const [what, [answer, says]] of Object.entries(ODD_ANSWERS)) {
    const schema: StandardSchema<string> = {
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: (value) => (value === 'odd' ? answer() : { value: String(value) }),
      },
    }
    const Tick = defineEvent('tick.oddly', schema)

    it(`refuses a broadcast with ${what}`, async () => {
      const error = await rejection(asker.broadcast(Tick, 'odd'))
      expect(error).to.be.instanceOf(InvalidPayload).with.property('message').that.matches(says)
    })

    it(`drops the event with one report, and the next event comes: ${what}`, async () => {
      const reports = reportsOf(shop)
      const got: string[] = []
      await shop.subscribe(Tick, ({ payload }) => got.push(payload)).ready
      for (const payload of ['odd', 'even']) await asker.broadcast(Tick.name, payload)
      await until(() => got.length === 1)
      expect(got).to.deep.equal(['even'])
      expect(reports).to.have.length(1)
      expect(reports[0]).to.be.instanceOf(InvalidPayload).with.property('message').that.matches(says)
      expect(reports[0]).to.have.deep.property('event', {
        type: Tick.name,
        payload: 'odd',
        origin: 'asker',
        headers: {},
      })
    })

    it(`fails a request and its response at once, and no other request: ${what}`, async () => {
      const AskOddly = defineRequest('ask.oddly', { request: schema, response: z.string() })
      const AnswerOddly = defineRequest('answer.oddly', { request: z.string(), response: schema })
      const HearOddly = defineRequest('hear.oddly', { request: z.string(), response: schema })
      const echo = ({ payload }: { payload: unknown }) => String(payload)
      await shop.respond(AskOddly, echo).ready
      await shop.respond(AnswerOddly, echo).ready
      await shop.respond(HearOddly.name, echo).ready

      const failures = await Promise.all([
        rejection(asker.request(AskOddly, 'odd', NEVER)),
        rejection(asker.request(AskOddly.name, 'odd', NEVER)),
        rejection(asker.request(AnswerOddly.name, 'odd', NEVER)),
        rejection(asker.request(HearOddly, 'odd', NEVER)),
      ])
      const classes = [InvalidPayload, RemoteError, RemoteError, UnexpectedResponse]
      for (const [index, error] of failures.entries()) {
        expect(error).to.be.instanceOf(classes[index]).with.property('message').that.matches(says)
      }
      expect(await asker.request(HearOddly, 'even', NEVER)).to.equal('even')

      const replies: unknown[] = []
      for await (const { error } of asker.requestAll(HearOddly, 'odd', NEVER)) replies.push(error)
      expect(replies).to.have.length(1)
      expect(replies[0]).to.be.instanceOf(UnexpectedResponse)
    })
  }
})
