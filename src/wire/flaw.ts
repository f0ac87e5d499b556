import { UnserializablePayload } from '../model/errors'
import { asError, messageOf } from '../model/thrown'

/** A longer path is cut: it belongs to a value that is nested too deep. */
const MAX_PATH = 1000

/** What is wrong with a value inside a payload, and the path to it. */
export class Flaw extends Error {
  /** From the innermost to the outermost: the objects around the value, and the step into each. */
  readonly #around: { readonly object: object; readonly step: string }[] = []

  /** What was thrown while a value was read or written. */
  static of(thrown: unknown): Flaw {
    const error = asError(thrown)
    return error instanceof Flaw ? error : new Flaw(`: ${messageOf(error)}`, { cause: thrown })
  }

  /** The same for the value after a step into an object. */
  static within(object: object, step: string, thrown: unknown): Flaw {
    const flaw = Flaw.of(thrown)
    flaw.#around.push({ object, step })
    return flaw
  }

  /** For the caller of `broadcast` and the like. */
  toError(): UnserializablePayload {
    const { cause } = this
    const { path, reason } = this.#place()
    const shown = path.length > MAX_PATH ? `${path.slice(0, 80)}…` : path
    return new UnserializablePayload(
      `the payload can't be sent: ${shown}${reason}`,
      cause === undefined ? {} : { cause },
    )
  }

  /** Is one of the objects around the value inside itself? */
  get isCyclic(): boolean {
    return new Set(this.#around.map(({ object }) => object)).size < this.#around.length
  }

  #place(): { path: string; reason: string } {
    let path = 'payload'
    const seen = new Set<object>()
    for (const { object, step } of this.#around.toReversed()) {
      if (seen.has(object)) return { path, reason: ' contains itself' }
      seen.add(object)
      path += step
    }
    return { path, reason: this.message }
  }
}

/** The value takes more bytes than allowed. Before that, it may have been found inside itself. */
export class Overlong extends Flaw {}

/** The step from an object to the value of one of its keys. */
export function stepTo(key: string): string {
  return /^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`
}
