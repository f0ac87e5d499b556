/** First bytes of the formats (msgpack specification, "Formats"). */
export const FIXMAP = 0x80
/** The most keys of a fixmap. */
export const FIXMAP_KEYS = 15
export const FIXARRAY = 0x90
export const FIXARRAY_2 = 0x92
export const FIXARRAY_3 = 0x93
export const FIXARRAY_4 = 0x94
export const FIXARRAY_5 = 0x95
export const FIXARRAY_6 = 0x96
export const FIXSTR = 0xa0
export const NIL = 0xc0
/** A record of the protocol: msgpack itself never uses this byte. */
export const RECORD = 0xc1
export const FALSE = 0xc2
export const TRUE = 0xc3
export const BIN_8 = 0xc4
export const BIN_16 = 0xc5
export const BIN_32 = 0xc6
export const EXT_8 = 0xc7
export const EXT_16 = 0xc8
export const EXT_32 = 0xc9
export const FLOAT_32 = 0xca
export const FLOAT_64 = 0xcb
export const UINT_8 = 0xcc
export const UINT_16 = 0xcd
export const UINT_32 = 0xce
export const UINT_64 = 0xcf
export const INT_8 = 0xd0
export const INT_16 = 0xd1
export const INT_32 = 0xd2
export const INT_64 = 0xd3
export const FIXEXT_1 = 0xd4
export const FIXEXT_2 = 0xd5
export const FIXEXT_4 = 0xd6
export const FIXEXT_8 = 0xd7
export const FIXEXT_16 = 0xd8
export const STR_8 = 0xd9
export const STR_16 = 0xda
export const STR_32 = 0xdb
export const ARRAY_16 = 0xdc
export const ARRAY_32 = 0xdd
export const MAP_16 = 0xde
export const MAP_32 = 0xdf
export const NEGATIVE_FIXINT = 0xe0

/** The extensions of the protocol: `undefined`, integers over 64 bits, and the timestamp. */
export const UNDEFINED = 0x00
export const BIGINT = 0x42
export const TIMESTAMP = 0xff

/** Bytes of the longest integer. Reading more would take time that grows with the square of their number. */
export const MAX_BIGINT_BYTES = 4096
