import { AsyncResource } from 'node:async_hooks'

/** Tells tools that look for open handles that none keeps the process alive. */
class HandlerContext extends AsyncResource {
  constructor() {
    super('LahjaHandler')
  }

  hasRef(): boolean {
    return false
  }
}

/** The context that was entered last, while nothing but this package runs in it. */
let entered: AsyncResource | undefined

/** The context of the function that was called last. */
let latest: AsyncResource | undefined

/**
 * A function that runs in the async context of this call, as `AsyncLocalStorage` sees it, not in that of its caller.
 *
 * So `storage.run('here', () => inContext(call))` calls `call` with the store `here`, wherever it is called itself.
 */
export function inContext<Value, Result>(call: (value: Value) => Result): (value: Value) => Result {
  const context = new HandlerContext()
  return (value) => {
    const outer = entered
    // The function may enter any other.
    entered = undefined
    try {
      if (outer === context) return call(value)
      latest = context
      return context.runInAsyncScope(call, undefined, value)
    } finally {
      entered = outer
    }
  }
}

/**
 * Calls this in the context of the function that was called last, which is then called again without entering it. To enter
 * a context takes a part of the time of an event, and the events of a chunk are mostly for the handler of those before.
 */
export function inLatestContext<Value>(call: (value: Value) => void, value: Value): void {
  const context = latest
  if (!context) return call(value)
  const outer = entered
  entered = context
  try {
    context.runInAsyncScope(call, undefined, value)
  } finally {
    entered = outer
  }
}
