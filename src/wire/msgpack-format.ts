/** First bytes of the msgpack formats that are written and read without msgpackr (msgpack specification, "Formats"). */
export const FIXMAP = 0x80
/** The most keys of a fixmap. */
export const FIXMAP_KEYS = 15
export const FIXARRAY_2 = 0x92
export const FIXARRAY_3 = 0x93
export const FIXARRAY_4 = 0x94
export const FIXARRAY_5 = 0x95
export const FALSE = 0xc2
export const TRUE = 0xc3
export const FIXSTR = 0xa0
export const STR_8 = 0xd9
export const BIN_8 = 0xc4
export const BIN_16 = 0xc5
export const BIN_32 = 0xc6
export const MAP_16 = 0xde
