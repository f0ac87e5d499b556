import type { Timer } from '../../src/platform/clock'
import type { Timeline } from './timeline'

/** A resource that the kernel keeps for a process. */
export interface Handle {
  /** The process has died. */
  release(): void
  /** Reads all that has arrived. */
  poll?(): void
}

/** A simulated process: an event loop that can freeze, continue and die. */
export class Host {
  readonly #timeline: Timeline
  readonly #handles = new Set<Handle>()
  /** The handles that do not keep the process alive. */
  readonly #unreferenced = new Set<Handle>()
  readonly #timers = new Set<Timer>()
  #state: 'running' | 'frozen' | 'dead' = 'running'
  #held: (() => void)[] = []

  constructor(timeline: Timeline) {
    this.#timeline = timeline
  }

  get now(): number {
    return this.#timeline.now
  }

  get isFrozen(): boolean {
    return this.#state === 'frozen'
  }

  get isDead(): boolean {
    return this.#state === 'dead'
  }

  /** The number of pending timers. */
  get timers(): number {
    return this.#timers.size
  }

  /** Calls after this many milliseconds: once it thaws, if it is frozen then; never, if it is dead. */
  schedule(delay: number, call: () => void): void {
    this.#timeline.after(delay, () => this.#due(call))
  }

  /** The same with a timer that keeps the process alive and can be cancelled. */
  timer(delay: number, call: () => void): Timer {
    let pending: (() => void) | undefined = call
    const timer = {
      cancel: () => {
        pending = undefined
        this.#timers.delete(timer)
      },
    }
    this.#timers.add(timer)
    this.schedule(Math.max(delay, 1), () => {
      if (this.#timers.delete(timer)) pending?.()
    })
    return timer
  }

  /** The number of open sockets and watches that keep the process alive. */
  get handles(): number {
    return this.#handles.size - this.#unreferenced.size
  }

  /** The number of open sockets and watches that do not. */
  get unreferencedHandles(): number {
    return this.#unreferenced.size
  }

  opened(handle: Handle): void {
    this.#handles.add(handle)
  }

  /** It no longer keeps the process alive. */
  unref(handle: Handle): void {
    if (this.#handles.has(handle)) this.#unreferenced.add(handle)
  }

  closed(handle: Handle): void {
    this.#handles.delete(handle)
    this.#unreferenced.delete(handle)
  }

  /** Reads all that the kernel has for it. */
  poll(): void {
    for (const handle of [...this.#handles]) handle.poll?.()
  }

  freeze(): void {
    if (this.#state === 'running') this.#state = 'frozen'
  }

  thaw(): void {
    if (this.#state !== 'frozen') return
    this.#state = 'running'
    for (const call of this.#held.splice(0)) this.schedule(0, call)
  }

  kill(): void {
    if (this.#state === 'dead') return
    this.#state = 'dead'
    this.#held = []
    for (const handle of [...this.#handles]) handle.release()
  }

  #due(call: () => void): void {
    if (this.#state === 'running') call()
    else if (this.#state === 'frozen') this.#held.push(call)
  }
}
