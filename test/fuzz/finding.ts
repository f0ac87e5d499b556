/** Something that must not happen, whatever comes in. */
export class Finding extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'Finding'
  }
}
