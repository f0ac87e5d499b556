import type { ChildProcess } from 'node:child_process'
import type { Contender, Station } from './contender'
import { PAYLOADS } from './payload'

/** Events after which the sender waits until the last one has been written. */
const WINDOW = 256

/** Sends to child processes, or listens to the parent. An array around each payload tells it from other messages. */
export class IpcStation implements Station {
  readonly #children: readonly ChildProcess[]
  #sent = 0

  constructor(children: readonly ChildProcess[] = []) {
    this.#children = children
  }

  async listen(_to: readonly string[], handler: (payload: unknown) => void): Promise<void> {
    process.on('message', (message) => {
      if (Array.isArray(message)) handler(message[0])
    })
  }

  async untilHeardBy(): Promise<void> {}

  send(payload: unknown): Promise<unknown> | undefined {
    if (++this.#sent % WINDOW === 0) return Promise.all(this.#children.map((child) => sent(child, payload)))
    for (const child of this.#children) child.send([payload])
    return undefined
  }

  async flush(): Promise<void> {}

  async close(): Promise<void> {}
}

/** Resolves when it has been written. */
function sent(child: ChildProcess, payload: unknown): Promise<void> {
  return new Promise((resolve, reject) => {
    child.send([payload], (error) => (error ? reject(error) : resolve()))
  })
}

/** The channel between a Node.js process and its child. */
export const ipc: Contender = {
  name: 'ipc',
  settings:
    "child_process fork(), serialization 'advanced' for bytes and 'json' for all else, send() to each child, waiting for the last of 256",
  payloads: PAYLOADS,
  modes: ['broadcast', 'latency'],
  isParent: true,
  join: async () => new IpcStation(),
}
