export const MODES = ['broadcast', 'request', 'latency', 'mesh'] as const

export type Mode = (typeof MODES)[number]
