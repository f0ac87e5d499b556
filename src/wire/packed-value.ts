import {
  ARRAY_16,
  BIGINT,
  EXT_8,
  FIXARRAY,
  FIXEXT_1,
  FIXEXT_16,
  FIXMAP,
  FIXSTR,
  MAP_16,
  NEGATIVE_FIXINT,
  NIL,
} from './msgpack-format'

/** The most levels of nested arrays and objects in a payload. */
export const MAX_DEPTH = 512

/** From `NIL` to `NEGATIVE_FIXINT`: the size of a value in bytes, or 0 if its length follows. */
const SIZES = [1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 5, 9, 2, 3, 5, 9, 2, 3, 5, 9, 3, 4, 6, 10, 18, 0, 0, 0, 0, 0, 0, 0]
/** The same: the bytes of the length. */
const WIDTHS = [0, 0, 0, 0, 1, 2, 4, 1, 2, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 4, 2, 4, 2, 4]

/** The size in bytes by first byte, or 0 if a length follows, or values. */
const sizes = Uint8Array.from({ length: 0x100 }, (_, head) => {
  if (head < FIXMAP || head >= NEGATIVE_FIXINT) return 1
  if (head < FIXSTR) return 0
  return head < NIL ? 1 + head - FIXSTR : (SIZES[head - NIL] ?? 0)
})

/** Does a packed value hold an integer over 64 bits? */
export function holdsBigint(bytes: Buffer, start: number): boolean {
  let at = start
  for (let left = 1; left > 0; left--) {
    const head = bytes[at] ?? NIL
    const size = sizes[head] ?? 0
    if (size > 0) {
      if (head >= FIXEXT_1 && head <= FIXEXT_16 && bytes[at + 1] === BIGINT) return true
      at += size
      continue
    }
    const width = WIDTHS[head - NIL] ?? 0
    const length = width === 0 ? head & 0x0f : bytes.readUIntBE(at + 1, width)
    at += 1 + width
    if (head >= EXT_8 && head < EXT_8 + 3) {
      if (bytes[at] === BIGINT) return true
      at += 1 + length
    } else if (head >= NIL && head < ARRAY_16) at += length
    else left += head < FIXARRAY || head >= MAP_16 ? 2 * length : length
  }
  return false
}
