/** An event of a round that no endpoint records. */
export type RoundEvent =
  | { readonly kind: 'killed'; readonly at: number; readonly process: number }
  /** The socket file of this name was removed. */
  | { readonly kind: 'unpublished'; readonly at: number; readonly name: string }
  /** No faults from here on. */
  | { readonly kind: 'healed'; readonly at: number }
  /** Everything sent has had time to arrive. */
  | { readonly kind: 'quiet'; readonly at: number }
  /** A process did not exit after closing all its endpoints, or left a file. */
  | { readonly kind: 'leftover'; readonly at: number; readonly what: string; readonly process: number }
