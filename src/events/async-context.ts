import { AsyncResource } from 'node:async_hooks'

/** A handler that runs in the async context of this call, as `AsyncLocalStorage` sees it, not in that of a sender. */
export function inContext<Event, Result>(handle: (event: Event) => Result): (event: Event) => Result {
  const context = new AsyncResource('LahjaHandler')
  return (event) => context.runInAsyncScope(handle, undefined, event)
}
