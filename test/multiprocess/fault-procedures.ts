import { ofEndpoint } from './endpoint-procedure'
import { fields, listOf, nothing, number, optional, text } from './parse'
import type { Procedure } from './procedure'

/** What a process uses of its system. */
export interface Consumption {
  readonly descriptors: number
  /** What keeps its event loop alive. */
  readonly resources: readonly string[]
  /** Bytes that somebody still refers to, in the heap and outside of it. */
  readonly held: number
  /** Bytes of memory that the system has given it, after garbage was collected. */
  readonly resident: number
}

/** Endpoints that come and go. */
export interface Turnover {
  readonly directory: string
  readonly cycles: number
  /** How many are there at a time. */
  readonly width: number
}

/** Lets the event loop stand still until there is a file of this path. */
export const blockUntil: Procedure<string, void> = { name: 'blockUntil', argument: text, answer: nothing }

/** Moves the wall clock of the process by so many milliseconds. */
export const shiftDate: Procedure<number, void> = { name: 'shiftDate', argument: number, answer: nothing }

/** Broadcasts an event with so many bytes beside its number, and exits with the code 7 in the same turn. */
export const broadcastAndExit = ofEndpoint('broadcastAndExit', parseLastWord, nothing)

/** Takes all descriptors that the process may have, and those that become free when peers are lost. */
export const hoardDescriptors: Procedure<void, void> = { name: 'hoardDescriptors', argument: nothing, answer: nothing }

export const releaseDescriptors: Procedure<void, void> = {
  name: 'releaseDescriptors',
  argument: nothing,
  answer: nothing,
}

/** Codes of the errors that sockets have ended with. */
export const socketFailures: Procedure<void, string[]> = {
  name: 'socketFailures',
  argument: nothing,
  answer: listOf(text),
}

/** The code with which the system refuses to watch a directory. */
export const watchFailure: Procedure<string, string | undefined> = {
  name: 'watchFailure',
  argument: text,
  answer: optional(text),
}

export const consumption: Procedure<void, Consumption> = {
  name: 'consumption',
  argument: nothing,
  answer: parseConsumption,
}

/** Lets endpoints join and leave. */
export const turnOver: Procedure<Turnover, void> = { name: 'turnOver', argument: parseTurnover, answer: nothing }

function parseLastWord(value: unknown): { readonly type: string; readonly filler: number } {
  const { type, filler } = fields(value)
  return { type: text(type), filler: number(filler) }
}

function parseConsumption(value: unknown): Consumption {
  const { descriptors, resources, held, resident } = fields(value)
  return {
    descriptors: number(descriptors),
    resources: listOf(text)(resources),
    held: number(held),
    resident: number(resident),
  }
}

function parseTurnover(value: unknown): Turnover {
  const { directory, cycles, width } = fields(value)
  return { directory: text(directory), cycles: number(cycles), width: number(width) }
}
