import { fields, number, type Parser, text } from './parse'

/** Something that a process can be told to do from outside: what it takes and what it answers. */
export interface Procedure<Argument, Answer> {
  readonly name: string
  readonly argument: Parser<Argument>
  readonly answer: Parser<Answer>
}

export interface Call {
  readonly id: number
  readonly procedure: string
  readonly argument: unknown
}

/** What comes back: that the process is there, or how a call ended. */
export type Reply =
  | { readonly kind: 'listening' }
  | { readonly kind: 'answered'; readonly id: number; readonly answer: unknown }
  | { readonly kind: 'failed'; readonly id: number; readonly code: string; readonly message: string }

export function parseCall(value: unknown): Call {
  const { id, procedure, argument } = fields(value)
  return { id: number(id), procedure: text(procedure), argument }
}

export function parseReply(value: unknown): Reply {
  const { kind, id, answer, code, message } = fields(value)
  switch (kind) {
    case 'listening':
      return { kind }
    case 'answered':
      return { kind, id: number(id), answer }
    case 'failed':
      return { kind, id: number(id), code: text(code), message: text(message) }
    default:
      throw new TypeError(`expected a reply, got kind ${JSON.stringify(kind)}`)
  }
}
