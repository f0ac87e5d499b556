import type { Contender, Station } from './contender'
import { PAYLOADS } from './payload'
import { refuse } from './refuse'

/** What parents send to their children, see parent.ts: an array around the payload, which no other message is. */
class IpcStation implements Station {
  readonly untilHeardBy = refuse
  readonly send = refuse
  readonly request = refuse
  readonly respond = refuse

  async listen(_to: readonly string[], handler: (payload: unknown) => void): Promise<void> {
    process.on('message', (message) => {
      if (Array.isArray(message)) handler(message[0])
    })
  }

  async flush(): Promise<void> {}

  async close(): Promise<void> {}
}

/** The channel that Node.js gives a child with its parent. */
export const ipc: Contender = {
  name: 'ipc',
  settings:
    "child_process fork(), serialization 'advanced' for bytes and 'json' for all else, send() to each child, waiting for the last of 256",
  payloads: PAYLOADS,
  modes: ['broadcast', 'latency'],
  isParent: true,
  join: async () => new IpcStation(),
}
