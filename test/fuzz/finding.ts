/** A failure found by the fuzzer. */
export class Finding extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'Finding'
  }
}
