/** A part of a buffer that may be written to. */
export interface Region {
  readonly bytes: Buffer
  /** Of all of `bytes`. */
  readonly view: DataView
  readonly start: number
  readonly end: number
}
