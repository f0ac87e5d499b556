import { debuglog } from 'node:util'

/** Peers choose parts of a line, so its length is bounded. */
const LINE_CHARACTERS = 500

/** Writes one line. Code that logs has an optional one and calls it by `debug?.(…)`: if it is off, no line is built. */
export type DebugLog = (line: string) => void

/** The debug log of an endpoint, on stderr; undefined unless `NODE_DEBUG` names `lahja`. */
export function debugLogOf(endpoint: string): DebugLog | undefined {
  const log = debuglog('lahja')
  if (!log.enabled) return undefined
  return (line) => log('%s: %s', endpoint, line.slice(0, LINE_CHARACTERS).replace(/\p{Cc}/gu, '?'))
}
