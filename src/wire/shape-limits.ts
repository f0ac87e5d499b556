/** The keys of objects of one kind, in their order. */
export type ShapeKeys = readonly string[]

/** The most shapes that are told on a link: their number takes a byte. */
export const MAX_SHAPES = 256

/** The most keys of a shape that is told. */
export const MAX_SHAPE_KEYS = 64

/** The most bytes of the keys of a shape, so that every peer takes the message that tells it. */
export const MAX_SHAPE_BYTES = 2048

/** The most bytes of the keys of all shapes that are told on a link. */
export const MAX_SHAPES_BYTES = 64 * 1024
