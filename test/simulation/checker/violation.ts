/** A guarantee that a history shows broken. */
export interface Violation {
  readonly guarantee: string
  readonly message: string
  /** The place in the history of the record that shows it. */
  readonly index: number
}
