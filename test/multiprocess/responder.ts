import { parse } from 'valibot'
import { type Call, type Procedure, parseCall, type Reply } from './procedure'

/** Answers calls of the parent process. */
export class Responder {
  readonly #handlers = new Map<string, (argument: unknown) => Promise<unknown>>()

  on<Argument, Answer>(
    { name, argument: schema }: Procedure<Argument, Answer>,
    handler: (argument: Argument) => Answer | Promise<Answer>,
  ): this {
    this.#handlers.set(name, async (argument) => handler(parse(schema, argument)))
    return this
  }

  listen(): void {
    process.on('message', (message) => void this.#reply(parseCall(message)))
    send({ kind: 'listening' })
  }

  async #reply({ id, procedure, argument }: Call): Promise<void> {
    try {
      const handler = this.#handlers.get(procedure)
      if (!handler) throw new TypeError(`expected a procedure, got ${procedure}`)
      send({ kind: 'answered', id, answer: await handler(argument) })
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : ''
      send({ kind: 'failed', id, code, message: error instanceof Error ? error.message : String(error) })
    }
  }
}

function send(reply: Reply): void {
  process.send?.(reply)
}
