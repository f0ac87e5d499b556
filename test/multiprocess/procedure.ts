import * as v from 'valibot'

/** Checks that a value that came from another process has this type. */
export type Schema<Value> = v.GenericSchema<unknown, Value>

/** Accepts undefined, and null, which JSON makes of it inside an array. */
export const nothing: Schema<void> = v.pipe(
  v.nullish(v.null()),
  v.transform(() => {}),
)

/** A function of a child process: the schemas of its argument and of its answer. */
export interface Procedure<Argument, Answer> {
  readonly name: string
  readonly argument: Schema<Argument>
  readonly answer: Schema<Answer>
}

export function procedure<Argument, Answer>(
  name: string,
  argument: Schema<Argument>,
  answer: Schema<Answer>,
): Procedure<Argument, Answer> {
  return { name, argument, answer }
}

/** A procedure without argument and answer. */
export function command(name: string): Procedure<void, void> {
  return procedure(name, nothing, nothing)
}

/** A procedure of one endpoint in the process; its argument comes with the endpoint's name. */
export type EndpointProcedure<Argument, Answer> = Procedure<readonly [endpoint: string, argument: Argument], Answer>

export function ofEndpoint<Argument, Answer>(
  name: string,
  argument: Schema<Argument>,
  answer: Schema<Answer>,
): EndpointProcedure<Argument, Answer> {
  return procedure(name, v.tuple([v.string(), argument]), answer)
}

const call = v.object({ id: v.number(), procedure: v.string(), argument: v.optional(v.unknown()) })

const reply = v.variant('kind', [
  /** The process answers calls from now on. */
  v.object({ kind: v.literal('listening') }),
  v.object({ kind: v.literal('answered'), id: v.number(), answer: v.optional(v.unknown()) }),
  v.object({ kind: v.literal('failed'), id: v.number(), code: v.string(), message: v.string() }),
])

export type Call = v.InferOutput<typeof call>
export type Reply = v.InferOutput<typeof reply>

export const parseCall = v.parser(call)
export const parseReply = v.parser(reply)
