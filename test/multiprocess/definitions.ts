import * as valibot from 'valibot'
import {
  defineEvent,
  defineRequest,
  type EventType,
  type Overflow,
  type RequestType,
  type StandardSchema,
} from '../../src'
import type { Definition, PolicyName, SchemaName } from './definition-procedures'
import { keyOf } from './flood'

/** Schemas by name. */
const SCHEMAS = {
  number: valibot.object({ number: valibot.number() }),
  digit: valibot.object({ number: valibot.pipe(valibot.number(), valibot.maxValue(9)) }),
  negated: valibot.pipe(
    valibot.object({ number: valibot.number() }),
    valibot.transform(({ number }) => ({ number: -number })),
  ),
  anything: valibot.any(),
} as const satisfies Record<SchemaName, StandardSchema>

const POLICIES = {
  wait: 'wait',
  dropOldest: 'dropOldest',
  dropNewest: 'dropNewest',
  latest: 'latest',
  latestByKey: { latest: keyOf },
  disconnect: 'disconnect',
} as const satisfies Record<PolicyName, Overflow>

/** The event and request types defined in this process. */
export class Definitions {
  readonly #events = new Map<string, EventType>()
  readonly #requests = new Map<string, RequestType>()

  defineEvent({ type, boundary, overflow, redeliver, schema = 'anything' }: Definition): void {
    const options = {
      ...(boundary && { boundary }),
      ...(overflow && { overflow: POLICIES[overflow] }),
      ...(redeliver !== undefined && { redeliver }),
    }
    this.#events.set(type, defineEvent(type, { schema: SCHEMAS[schema], ...options }))
  }

  defineRequest({ type, boundary, schema = 'anything', response = 'anything' }: Definition): void {
    const schemas = { request: SCHEMAS[schema], response: SCHEMAS[response] }
    this.#requests.set(type, defineRequest(type, { ...schemas, ...(boundary && { boundary }) }))
  }

  /** An undefined type is used by its name. */
  event(type: string): EventType {
    return this.#events.get(type) ?? type
  }

  request(type: string): RequestType {
    return this.#requests.get(type) ?? type
  }
}
