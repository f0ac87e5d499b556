import type { Clock } from './clock'
import type { DebugLog } from './debug-log'
import type { Transport } from './transport'

/** What an endpoint runs on: sockets and real time, or the network and clock of a test. */
export interface World {
  readonly transport: Transport
  readonly clock: Clock
  readonly debug?: DebugLog | undefined
}
