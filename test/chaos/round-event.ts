/** What was done to a process, or to a file, from outside. */
export type RoundEvent =
  | { readonly kind: 'killed'; readonly at: number; readonly process: number }
  /** The socket file of whoever has that name was removed. */
  | { readonly kind: 'unpublished'; readonly at: number; readonly name: string }
  /** From here on nothing is done to anybody. */
  | { readonly kind: 'healed'; readonly at: number }
  /** Everything that was sent has had the time to arrive. */
  | { readonly kind: 'quiet'; readonly at: number }
  /** A process that has closed all its endpoints has not ended, or a file was left. */
  | { readonly kind: 'leftover'; readonly at: number; readonly what: string; readonly process: number }
