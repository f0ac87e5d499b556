import { type Parser, text } from './parse'
import type { Procedure } from './procedure'

/** What is asked of one of the process's endpoints. */
export type Addressed<Argument> = readonly [endpoint: string, argument: Argument]

export type EndpointProcedure<Argument, Answer> = Procedure<Addressed<Argument>, Answer>

export function ofEndpoint<Argument, Answer>(
  name: string,
  parse: Parser<Argument>,
  answer: Parser<Answer>,
): EndpointProcedure<Argument, Answer> {
  const argument: Parser<Addressed<Argument>> = (value) => {
    const [endpoint, argument] = Array.isArray(value) ? value : []
    return [text(endpoint), parse(argument)]
  }
  return { name, argument, answer }
}
