interface Listeners {
  readonly calls: Set<() => void>
  readonly listener: () => void
}

/** Behind one listener for each signal: Node warns of a leak when a signal has more than ten. */
const listenersOf = new WeakMap<AbortSignal, Listeners>()

/** Calls when the signal aborts, unless `offAbort` comes first. */
export function onAbort(signal: AbortSignal, call: () => void): void {
  const known = listenersOf.get(signal)
  if (known) return void known.calls.add(call)
  const calls = new Set([call])
  const listener = () => {
    for (const each of calls) each()
    listenersOf.delete(signal)
  }
  listenersOf.set(signal, { calls, listener })
  signal.addEventListener('abort', listener, { once: true })
}

export function offAbort(signal: AbortSignal, call: () => void): void {
  const known = listenersOf.get(signal)
  if (!known?.calls.delete(call) || known.calls.size > 0) return
  listenersOf.delete(signal)
  signal.removeEventListener('abort', known.listener)
}
