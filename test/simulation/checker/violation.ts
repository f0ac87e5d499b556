/** A broken guarantee. */
export interface Violation {
  readonly guarantee: string
  readonly message: string
  /** The index of the record that shows it. */
  readonly index: number
}
