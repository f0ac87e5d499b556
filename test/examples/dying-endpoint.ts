import { Endpoint } from 'lahja'

// Loaded ahead of a program, this kills it.

/** The call of `broadcast` or `request` that the program does not survive. */
const LAST = 3

let calls = 0

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
