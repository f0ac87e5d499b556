import type { BroadcastOptions, EndpointOptions } from '../../src'
import * as defining from './definition-procedures'
import * as procedures from './participant-procedures'
import * as pressing from './pressure-procedures'
import type { RemoteProcess } from './remote-process'
import type { TallyReport } from './tally'
import type { WorkReport } from './work'
import * as working from './work-procedures'

/** An endpoint in another process: what a test tells it to do, and asks it. */
export class RemoteEndpoint {
  readonly name: string
  readonly process: RemoteProcess

  private constructor(name: string, process: RemoteProcess) {
    this.name = name
    this.process = process
  }

  /** @throws RemoteFailure with the code of what `Endpoint.start` rejected with */
  static async start(process: RemoteProcess, options: EndpointOptions): Promise<RemoteEndpoint> {
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

  /** What handlers of a type, or those of a pattern, have done. */
  work(type: string): Promise<WorkReport> {
    return this.process.call(working.work, [this.name, type])
  }

  /** Resolves when handlers of a type have begun, ended and aborted at least so many. */
  untilWork(type: string, counts: Omit<working.WorkCounts, 'type'>): Promise<void> {
    return this.process.call(working.untilWork, [this.name, { type, ...counts }])
  }

  /** Resolves when handlers of a type have ended all of these. */
  untilEnded(type: string, numbers: readonly number[]): Promise<void> {
    return this.process.call(working.untilEnded, [this.name, { type, numbers }])
  }

  /** Lets the oldest handler that is held end. */
  finishOldest(type: string): Promise<void> {
    return this.process.call(working.finishOldest, [this.name, type])
  }

  /** Lets all handlers that are held end, and holds no later one. */
  finishAll(type: string): Promise<void> {
    return this.process.call(working.finishAll, [this.name, type])
  }

  unsubscribe(type: string): Promise<void> {
    return this.process.call(procedures.unsubscribe, [this.name, type])
  }

  /** Broadcasts events with the numbers from `first` on and awaits each. Resolves to what the last resolved to. */
  broadcast(type: string, count = 1, first = 0, options?: BroadcastOptions): Promise<number> {
    return this.process.call(procedures.broadcast, [this.name, { type, count, first, options }])
  }

  broadcastNowait(type: string, count = 1, filler?: number): Promise<void> {
    return this.process.call(procedures.broadcastNowait, [this.name, { type, count, filler }])
  }

  /** Reads a type, each event for as long as told; resolves when the subscription is ready. */
  read(type: string, reading: Omit<pressing.Reading, 'type'> = {}): Promise<void> {
    return this.process.call(pressing.read, [this.name, { type, ...reading }])
  }

  /** Resolves when the event of this number is the last that has been read. */
  untilRead(type: string, number: number): Promise<void> {
    return this.process.call(pressing.untilRead, [this.name, { type, number }])
  }

  /** What has been read of a type. */
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

  /** Resolves to what peers have not taken within so many milliseconds. */
  closeWithin(timeout: number): Promise<pressing.Undelivered[]> {
    return this.process.call(pressing.closeWithin, [this.name, timeout])
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
