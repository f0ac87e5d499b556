/** What is owed for an event that has been handed on: in the end one of the two is called, once. */
export interface Receipt {
  /** It is done with. */
  handled(): void
  /** It was not begun, and will not be here. */
  giveBack(): void
}
