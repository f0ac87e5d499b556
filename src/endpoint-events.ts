import { captureRejectionSymbol, EventEmitter } from 'node:events'
import { asError, HandlerError, type LahjaError } from './model/errors'
import type { Peer } from './peer'

/** What an endpoint emits, with the arguments of each. */
export interface EndpointEvents {
  /** A peer is linked: from now on it gets what it is subscribed to. */
  joined: [peer: Peer]
  /** A peer has said goodbye, after all it had to say. */
  left: [peer: Peer, remains: { readonly unfinished: number }]
  /** A peer's link broke, with so many events that were accepted for it. */
  lost: [peer: Peer, loss: Loss]
  /** A peer has subscribed or unsubscribed, or begun or ended to respond. */
  subscriptionsChanged: [peer: Peer]
  /** A peer has used up its patience: nobody waits for it any more. */
  lagging: [peer: Peer]
  /** A peer's state is `connected` again: it neither lags nor is unresponsive. */
  recovered: [peer: Peer]
  /** A peer has been silent for three pings. It may be stopped, or busy; it is not gone. */
  unresponsive: [peer: Peer]
  /** An unresponsive peer has sent something. If it doesn't lag, `recovered` follows. */
  responsive: [peer: Peer]
  /** A sender had to drop so many events that were meant for this endpoint, at this place of the order. */
  gap: [gap: { readonly peer: string; readonly count: number }]
  /** A handler threw, a frame was refused, the directory can't be read. Without a listener: a process warning. */
  error: [error: LahjaError]
}

/** What was lost with a link. */
export interface Loss {
  readonly cause: LahjaError
  /** Events accepted for the peer that had not left this process, and that nobody else has got instead. */
  readonly undelivered: number
  /**
   * Events that had left and that the peer had not said it was done with. It may have handled them: it says so in
   * batches. Events that were dropped, and of whose gap it may not have read, are among them.
   */
  readonly unconfirmed: number
  /**
   * Events of queues that the peer had in hand: given to it, and not reported as handled. It may have handled some of
   * them. One whose sending was under way when the link broke can be among `undelivered` too.
   */
  readonly unfinished: number
}

/** An emitter that swallows nothing and that no listener can break. */
export class EndpointEmitter extends EventEmitter<EndpointEvents> {
  constructor() {
    super({ captureRejections: true })
  }

  /** @internal A listener that is async has rejected. */
  override [captureRejectionSymbol](thrown: unknown, ...[name]: readonly unknown[]): void {
    const cause = asError(thrown)
    const failure = new HandlerError(`a listener of '${String(name)}' failed: ${cause.message}`, { cause })
    if (name === 'error') process.emitWarning(failure)
    else this.report(failure)
  }

  /** @internal Tells the listeners; one that throws is reported and stops nothing. */
  protected notify<Name extends keyof EndpointEvents>(name: Name, ...args: EndpointEvents[Name]): void {
    try {
      EventEmitter.prototype.emit.call(this, name, ...args)
    } catch (thrown) {
      const cause = asError(thrown)
      const failure = new HandlerError(`a listener of '${name}' failed: ${cause.message}`, { cause })
      if (name === 'error') process.emitWarning(failure)
      else this.report(failure)
    }
  }

  /** @internal Emits an `error`, or a process warning where nobody listens for errors. */
  protected report(error: LahjaError): void {
    if (this.listenerCount('error') > 0) this.notify('error', error)
    else process.emitWarning(error)
  }
}
