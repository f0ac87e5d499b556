import type { EndpointOptions } from '../../src'
import * as procedures from './participant-procedures'
import type { RemoteProcess } from './remote-process'

/** An endpoint in another process: what a test tells it to do, and asks it. */
export class RemoteEndpoint {
  readonly name: string
  readonly process: RemoteProcess
  /** Milliseconds that `Endpoint.start` took. */
  readonly startTime: number

  private constructor(name: string, process: RemoteProcess, startTime: number) {
    this.name = name
    this.process = process
    this.startTime = startTime
  }

  /** @throws RemoteFailure with the code of what `Endpoint.start` rejected with */
  static async start(process: RemoteProcess, options: EndpointOptions): Promise<RemoteEndpoint> {
    return new RemoteEndpoint(options.name, process, await process.call(procedures.start, options))
  }

  /** Resolves when the subscription is ready. */
  subscribe(type: string): Promise<void> {
    return this.process.call(procedures.subscribe, [this.name, type])
  }

  unsubscribe(type: string): Promise<void> {
    return this.process.call(procedures.unsubscribe, [this.name, type])
  }

  /** Broadcasts events with the numbers from `first` on and awaits each. Resolves to what the last resolved to. */
  broadcast(type: string, count = 1, first = 0): Promise<number> {
    return this.process.call(procedures.broadcast, [this.name, { type, count, first }])
  }

  broadcastNowait(type: string, count = 1, filler?: number): Promise<void> {
    return this.process.call(procedures.broadcastNowait, [this.name, { type, count, filler }])
  }

  /** Everything received of a type, in the order in which it was. */
  received(type: string): Promise<procedures.Received[]> {
    return this.process.call(procedures.received, [this.name, type])
  }

  /** Resolves when at least so many events of a type have been received. */
  untilReceived(type: string, count: number): Promise<void> {
    return this.process.call(procedures.untilReceived, [this.name, { type, count }])
  }

  /** Everything emitted since the start. */
  notices(): Promise<procedures.Notice[]> {
    return this.process.call(procedures.notices, [this.name, undefined])
  }

  /** Resolves when a notice of this kind about this peer has been emitted. */
  untilNotice(kind: procedures.NoticeKind, peer: string): Promise<void> {
    return this.process.call(procedures.untilNotice, [this.name, { kind, peer }])
  }

  peers(): Promise<procedures.PeerReport[]> {
    return this.process.call(procedures.peers, [this.name, undefined])
  }

  untilPeers(count: number): Promise<void> {
    return this.process.call(procedures.untilPeers, [this.name, count])
  }

  isConnectedTo(peer: string): Promise<boolean> {
    return this.process.call(procedures.isConnectedTo, [this.name, peer])
  }

  waitUntilConnectedTo(peer: string): Promise<void> {
    return this.process.call(procedures.waitUntilConnectedTo, [this.name, peer])
  }

  /** Resolves when no peer is known to be subscribed to the type. */
  untilUnsubscribed(type: string): Promise<void> {
    return this.process.call(procedures.untilUnsubscribed, [this.name, type])
  }

  close(): Promise<void> {
    return this.process.call(procedures.close, [this.name, undefined])
  }

  /** Lets the next event of this type close the endpoint. */
  closeOn(type: string): Promise<void> {
    return this.process.call(procedures.closeOn, [this.name, type])
  }
}
