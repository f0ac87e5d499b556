import { type DebugLogger, debuglog } from 'node:util'

/** Longer lines are cut, as peers choose parts of them. */
const LINE_CHARACTERS = 500

/** Writes one line. It is optional where it is used, so that `debug?.(…)` builds no line while the log is off. */
export type DebugLog = (line: string) => void

/**
 * The debug log of an endpoint, on stderr; undefined unless `NODE_DEBUG` names `lahja`. Control characters are replaced,
 * so a peer can neither forge lines nor write to a terminal.
 */
export function debugLogOf(endpoint: string, logger: DebugLogger = debuglog('lahja')): DebugLog | undefined {
  if (!logger.enabled) return undefined
  return (line) => logger('%s: %s', endpoint, line.slice(0, LINE_CHARACTERS).replace(/\p{Cc}/gu, '?'))
}
