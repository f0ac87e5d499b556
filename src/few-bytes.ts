/** Up to so many bytes a loop is faster than a call of `set`, which also needs a view of just what is copied. */
export const FEW_BYTES = 256

/** Copies a few bytes, four at a time. */
export function copyFew(from: DataView, start: number, end: number, to: DataView, at: number): void {
  const wordsEnd = end - 3
  const shift = at - start
  let index = start
  for (; index < wordsEnd; index += 4) to.setUint32(index + shift, from.getUint32(index))
  for (; index < end; index++) to.setUint8(index + shift, from.getUint8(index))
}
