import type { BroadcastOptions, EndpointOptions } from '../../src'
import * as defining from './definition-procedures'
import * as procedures from './participant-procedures'
import * as pressing from './pressure-procedures'
import type { RemoteProcess } from './remote-process'
import type { TallyReport } from './tally'
import type { WorkReport } from './work'
import * as working from './work-procedures'

/** An endpoint in another process, controlled by the test. */
export class RemoteEndpoint {
  readonly name: string
  readonly process: RemoteProcess

  private constructor(name: string, process: RemoteProcess) {
    this.name = name
    this.process = process
  }

  /** @throws RemoteFailure with the error code of `Endpoint.start` */
  static async start(
    process: RemoteProcess,
    options: EndpointOptions & { readonly name: string },
  ): Promise<RemoteEndpoint> {
    await process.call(procedures.start, options)
    return new RemoteEndpoint(options.name, process)
  }

  /** Resolves when the subscription is ready. */
  subscribe(type: string, order: Omit<procedures.SubscribeOrder, 'type'> = {}): Promise<void> {
    return this.process.call(procedures.subscribe, [this.name, { type, ...order }])
  }

  /** Resolves when the responder is ready. */
  respond(type: string, service: Omit<working.Service, 'type'> = {}): Promise<void> {
    return this.process.call(working.respond, [this.name, { type, ...service }])
  }

  /** Sends a request; resolves without waiting for its response. */
  ask(type: string, number: number): Promise<void> {
    return this.process.call(working.ask, [this.name, { type, number }])
  }

  /** Defines an event type in its process. */
  defineEvent(type: string, definition: Omit<defining.Definition, 'type'>): Promise<void> {
    return this.process.call(defining.defineEvent, { type, ...definition })
  }

  /** Defines a request type in its process. */
  defineRequest(type: string, definition: Omit<defining.Definition, 'type'>): Promise<void> {
    return this.process.call(defining.defineRequest, { type, ...definition })
  }

  /** The work of the handlers of a type or pattern. */
  work(type: string): Promise<WorkReport> {
    return this.process.call(working.work, [this.name, type])
  }

  /** Resolves when handlers of a type have begun, ended and aborted at least this many. */
  untilWork(type: string, counts: Omit<working.WorkCounts, 'type'>): Promise<void> {
    return this.process.call(working.untilWork, [this.name, { type, ...counts }])
  }

  /** Resolves when handlers of a type have ended all these numbers. */
  untilEnded(type: string, numbers: readonly number[]): Promise<void> {
    return this.process.call(working.untilEnded, [this.name, { type, numbers }])
  }

  /** Lets the oldest held handler end. */
  finishOldest(type: string): Promise<void> {
    return this.process.call(working.finishOldest, [this.name, type])
  }

  /** Lets all held handlers end, and holds no later one. */
  finishAll(type: string): Promise<void> {
    return this.process.call(working.finishAll, [this.name, type])
  }

  unsubscribe(type: string): Promise<void> {
    return this.process.call(procedures.unsubscribe, [this.name, type])
  }

  /** Broadcasts events with the numbers from `first` on and awaits each. Resolves with the result of the last. */
  broadcast(type: string, count = 1, first = 0, options?: BroadcastOptions): Promise<number> {
    return this.process.call(procedures.broadcast, [this.name, { type, count, first, options }])
  }

  broadcastNowait(type: string, count = 1, filler?: number): Promise<void> {
    return this.process.call(procedures.broadcastNowait, [this.name, { type, count, filler }])
  }

  /** Notes each event of a queue that it reports as unfinished in the work log of this directory, as `reported`. */
  logUnfinished(logs: string): Promise<void> {
    return this.process.call(procedures.logUnfinished, [this.name, logs])
  }

  /** Reads a type at a given speed; resolves when the subscription is ready. */
  read(type: string, reading: Omit<pressing.Reading, 'type'> = {}): Promise<void> {
    return this.process.call(pressing.read, [this.name, { type, ...reading }])
  }

  /** Resolves when the event of this number has been read last. */
  untilRead(type: string, number: number): Promise<void> {
    return this.process.call(pressing.untilRead, [this.name, { type, number }])
  }

  /** The events read of a type. */
  tally(type: string): Promise<TallyReport> {
    return this.process.call(pressing.tally, [this.name, type])
  }

  /** Broadcasts at full speed. */
  flood(type: string, flood: Omit<pressing.Flood, 'type'>): Promise<pressing.FloodReport> {
    return this.process.call(pressing.flood, [this.name, { type, ...flood }])
  }

  standings(): Promise<pressing.Standing[]> {
    return this.process.call(pressing.standings, [this.name, undefined])
  }

  /** Resolves with the undelivered events of each peer after this many milliseconds. */
  closeWithin(timeout: number): Promise<pressing.Undelivered[]> {
    return this.process.call(pressing.closeWithin, [this.name, timeout])
  }

  /** All received events of a type, in order. */
  received(type: string): Promise<procedures.Received[]> {
    return this.process.call(procedures.received, [this.name, type])
  }

  /** Resolves when at least this many events of a type have been received. */
  untilReceived(type: string, count: number): Promise<void> {
    return this.process.call(procedures.untilReceived, [this.name, { type, count }])
  }

  /** All notices since the start. */
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

  /** Closes the endpoint at the next event of this type. */
  closeOn(type: string): Promise<void> {
    return this.process.call(procedures.closeOn, [this.name, type])
  }
}
