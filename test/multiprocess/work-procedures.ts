import { type EndpointProcedure, ofEndpoint } from './endpoint-procedure'
import { fields, flag, listOf, nothing, number, optional, text } from './parse'
import { type Manner, parseManner, parseWorkReport, type WorkReport } from './work'

/** How a process responds to requests of a type. */
export interface Service {
  readonly type: string
  readonly manner?: Manner | undefined
  /** Where to write down what is begun and ended. */
  readonly ledger?: string | undefined
  /** Throws instead of responding. */
  readonly throws?: boolean | undefined
}

export interface WorkNumber {
  readonly type: string
  readonly number: number
}

export interface WorkCounts {
  readonly type: string
  readonly begun?: number | undefined
  readonly ended?: number | undefined
  readonly aborted?: number | undefined
}

/** Answers when the responder is ready. Its responses are the request's number and the process's id. */
export const respond: EndpointProcedure<Service, void> = ofEndpoint('respond', parseService, nothing)

/** Sends a request, and answers without waiting for its response. */
export const ask: EndpointProcedure<WorkNumber, void> = ofEndpoint('ask', parseNumber, nothing)

/** What the handlers of a type, or of a pattern, have done. */
export const work: EndpointProcedure<string, WorkReport> = ofEndpoint('work', text, parseWorkReport)

/** Answers when at least so many have been begun, ended and aborted. */
export const untilWork: EndpointProcedure<WorkCounts, void> = ofEndpoint('untilWork', parseCounts, nothing)

/** Answers when all of these numbers have been ended. */
export const untilEnded = ofEndpoint('untilEnded', parseNumbers, nothing)

/** Lets the oldest held handler of a type end. */
export const finishOldest: EndpointProcedure<string, void> = ofEndpoint('finishOldest', text, nothing)

/** Lets all held handlers of a type end, and holds no later one. */
export const finishAll: EndpointProcedure<string, void> = ofEndpoint('finishAll', text, nothing)

function parseService(value: unknown): Service {
  const { type, manner, ledger, throws } = fields(value)
  return {
    type: text(type),
    manner: optional(parseManner)(manner),
    ledger: optional(text)(ledger),
    throws: optional(flag)(throws),
  }
}

function parseNumber(value: unknown): WorkNumber {
  const { type, number: given } = fields(value)
  return { type: text(type), number: number(given) }
}

function parseCounts(value: unknown): WorkCounts {
  const { type, begun, ended, aborted } = fields(value)
  const count = optional(number)
  return { type: text(type), begun: count(begun), ended: count(ended), aborted: count(aborted) }
}

function parseNumbers(value: unknown): { readonly type: string; readonly numbers: readonly number[] } {
  const { type, numbers } = fields(value)
  return { type: text(type), numbers: listOf(number)(numbers) }
}
