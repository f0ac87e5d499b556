export type { Audience } from './audience'
export type { BroadcastOptions } from './broadcaster'
export { defineEvent, type EventDefinition, type EventType, type PayloadOf } from './definition'
export { type CloseOptions, Endpoint, type SubscribeOptions } from './endpoint'
export {
  AbortError,
  CloseTimeout,
  ConnectionFailed,
  DirectoryRefused,
  EndpointClosed,
  HandlerError,
  InvalidArgument,
  LahjaError,
  LinkRefused,
  NameInUse,
  NoSubscribers,
  PathTooLong,
  PayloadTooLarge,
  ProtocolViolation,
  UnserializablePayload,
  WaitTimeout,
} from './errors'
export type { Event, Handler } from './event'
export type { EventStream, StreamOptions } from './event-stream'
export type { Limits } from './limits'
export type { EndpointEvents } from './notifier'
export type { EndpointOptions } from './options'
export type { Peer } from './peer'
export type { Subscription } from './subscription'
export type { WaitOptions } from './waits'
