import { InvalidArgument } from '../model/errors'
import { asError, messageOf } from '../model/thrown'

interface Listeners {
  readonly calls: Set<() => void>
  readonly listener: () => void
}

/** Behind one listener for each signal: Node warns of a leak when a signal has more than ten. */
const listenersOf = new WeakMap<AbortSignal, Listeners>()

/**
 * Calls when the signal aborts, unless `offAbort` comes first.
 *
 * @throws InvalidArgument if the signal's own method throws, as that of another library may
 */
export function onAbort(signal: AbortSignal, call: () => void): void {
  const known = listenersOf.get(signal)
  if (known) return void known.calls.add(call)
  const calls = new Set([call])
  const listener = () => {
    for (const each of calls) each()
    listenersOf.delete(signal)
  }
  try {
    signal.addEventListener('abort', listener, { once: true })
  } catch (thrown) {
    const cause = asError(thrown)
    throw new InvalidArgument(`signal: expected an AbortSignal, got one that fails: ${messageOf(cause)}`, { cause })
  }
  listenersOf.set(signal, { calls, listener })
}

/** Never throws, as it is called where something ends. */
export function offAbort(signal: AbortSignal, call: () => void): void {
  const known = listenersOf.get(signal)
  if (!known?.calls.delete(call) || known.calls.size > 0) return
  listenersOf.delete(signal)
  try {
    signal.removeEventListener('abort', known.listener)
  } catch {
    // A listener that stays has nothing to call.
  }
}
