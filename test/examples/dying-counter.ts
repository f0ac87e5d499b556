import { Endpoint, type Event } from 'lahja'

// Loaded ahead of each process of the census, this kills the counter.

/** The line that the counter does not survive: before the middle, where the reader waits for the latecomer. */
const LAST = 50

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
