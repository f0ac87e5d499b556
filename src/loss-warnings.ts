import type { EndpointEvents } from './endpoint-events'

/** The events that tell of lost events, as texts; undefined where none is lost. */
const TEXTS: { readonly [Name in keyof EndpointEvents]?: (...args: EndpointEvents[Name]) => string | undefined } = {
  gap: ({ peer, count }) => {
    const events = count === 1 ? 'an event' : `${count} events`
    return `${peer.name} has dropped ${events} for this endpoint, which is too slow or does not take so large an event`
  },
  lost: ({ name }, { undelivered, unconfirmed, unfinished }) => {
    if (undelivered + unconfirmed + unfinished === 0) return undefined
    const counts = `${undelivered} undelivered, ${unconfirmed} unconfirmed and ${unfinished} unfinished events for it`
    return `the link with ${name} broke, with ${counts}`
  },
  left: ({ name }, { unfinished, unhandled }) => {
    if (unfinished + unhandled === 0) return undefined
    return `${name} has closed with ${unfinished} unfinished and ${unhandled} unhandled events from here`
  },
}

/** Warns of the first loss of each kind that no listener of an endpoint hears of. */
export class LossWarnings {
  readonly #endpoint: string
  readonly #given = new Set<keyof EndpointEvents>()

  /** @param endpoint its name */
  constructor(endpoint: string) {
    this.#endpoint = endpoint
  }

  /** An event has no listener. */
  onUnheard<Name extends keyof EndpointEvents>(name: Name, ...args: EndpointEvents[Name]): void {
    const text = this.#given.has(name) ? undefined : TEXTS[name]?.(...args)
    if (text === undefined) return
    this.#given.add(name)
    const advice = `listen to its event '${name}' to learn of all others`
    const code = `LAHJA_${name.toUpperCase()}`
    process.emitWarning(`endpoint ${this.#endpoint}: ${text}; ${advice}`, { type: 'LahjaWarning', code })
  }
}
