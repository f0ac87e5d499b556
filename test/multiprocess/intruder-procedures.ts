import { fields, flag, nothing, number, text } from './parse'
import type { Procedure } from './procedure'

/** What an intruder has got, in hexadecimal digits, and whether the other side has closed. */
export interface Catch {
  readonly bytes: string
  readonly isClosed: boolean
}

/** Connects to the socket of this path. */
export const dial: Procedure<string, void> = { name: 'dial', argument: text, answer: nothing }

/** Listens at a path, and sends the same bytes, given in hexadecimal digits, to whoever connects. */
export const listen: Procedure<{ readonly path: string; readonly greeting: string }, void> = {
  name: 'listen',
  argument: (value) => {
    const { path, greeting } = fields(value)
    return { path: text(path), greeting: text(greeting) }
  },
  answer: nothing,
}

/** How often somebody has connected to it. */
export const dials: Procedure<void, number> = { name: 'dials', argument: nothing, answer: number }

/** Writes bytes, given in hexadecimal digits. */
export const write: Procedure<string, void> = { name: 'write', argument: text, answer: nothing }

export const caught: Procedure<void, Catch> = { name: 'caught', argument: nothing, answer: parseCatch }

function parseCatch(value: unknown): Catch {
  const { bytes, isClosed } = fields(value)
  return { bytes: text(bytes), isClosed: flag(isClosed) }
}
