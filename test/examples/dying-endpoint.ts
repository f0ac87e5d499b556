import { join } from 'node:path'
import { Endpoint } from 'lahja'

/** In the environment of a program, this loads the present file ahead of it. */
export const DYING = { NODE_OPTIONS: `-r ts-node/register/transpile-only -r "${join(__dirname, 'dying-endpoint.ts')}"` }

/** The call of `broadcast` or `request` that a dying program does not survive. */
const LAST = 3

let calls = 0

if (process.env.NODE_OPTIONS === DYING.NODE_OPTIONS) {
  for (const verb of ['broadcast', 'request'] as const) {
    const call = Endpoint.prototype[verb]
    Object.defineProperty(Endpoint.prototype, verb, {
      value(this: Endpoint, ...args: unknown[]): unknown {
        if (++calls < LAST) return Reflect.apply(call, this, args)
        process.kill(process.pid, 'SIGKILL')
        return new Promise(() => {})
      },
    })
  }
}
