import { join } from 'node:path'
import { Endpoint, type Event } from 'lahja'

/** In the environment of the census, this loads the present file ahead of each of its processes. */
export const DYING_COUNTER = {
  NODE_OPTIONS: `-r ts-node/register/transpile-only -r "${join(__dirname, 'dying-counter.ts')}"`,
}

/** The line that the counter does not survive: before the middle, where the reader waits for the latecomer. */
const LAST = 50

if (process.env.NODE_OPTIONS === DYING_COUNTER.NODE_OPTIONS) {
  const { subscribe } = Endpoint.prototype
  Object.defineProperty(Endpoint.prototype, 'subscribe', {
    value(this: Endpoint, type: unknown, handler: (event: Event) => unknown, ...options: unknown[]): unknown {
      let lines = 0
      const handle = (event: Event) => {
        if (this.name === 'counter' && ++lines === LAST) process.kill(process.pid, 'SIGKILL')
        return handler(event)
      }
      return Reflect.apply(subscribe, this, [type, handle, ...options])
    },
  })
}
