export { type AllSubscribedOptions, type CloseOptions, Endpoint } from './endpoint'
export type { EndpointEvents, LeftBehind, Loss } from './endpoint-events'
export type { BroadcastOptions } from './events/broadcaster'
export type { SubscriptionStats } from './events/consumer'
export type { EventStats } from './events/event-count'
export type { EventStream, StreamOptions } from './events/event-stream'
export type { SubscribeOptions, WaitForOptions } from './events/subscribe-options'
export type { Subscription } from './events/subscription'
export type { EndpointPing } from './introspection'
export type { Audience } from './model/audience'
export type { Boundary } from './model/boundary'
export {
  type DefinitionOptions,
  defineEvent,
  defineRequest,
  type EventDefinition,
  type EventOptions,
  type EventType,
  type PayloadOf,
  type RequestDefinition,
  type RequestType,
} from './model/definition'
export {
  AbortError,
  AlreadyResponding,
  BoundaryCrossed,
  CloseTimeout,
  ConnectionFailed,
  DirectoryRefused,
  EndpointClosed,
  HandlerError,
  InvalidArgument,
  InvalidPayload,
  LahjaError,
  type LahjaErrorCode,
  LinkError,
  LinkRefused,
  NameInUse,
  NoSubscribers,
  OutboxOverflow,
  PathTooLong,
  type PayloadIssue,
  PayloadTooLarge,
  ProtocolViolation,
  RemoteDisconnected,
  RemoteError,
  type RemoteFailure,
  RequestTimeout,
  Unauthenticated,
  UnexpectedResponse,
  UnserializablePayload,
  type ViolationReason,
  WaitTimeout,
} from './model/errors'
export type { Event, EventHeaders, Handler, RequestEvent, RequestHandler } from './model/event'
export type { Limits } from './model/limits'
export type { Overflow } from './model/overflow'
export type { StandardSchema } from './model/schema'
export type { EndpointOptions, LimitOptions, NamePrefix } from './options'
export type { Peer, PeerStats } from './peers'
export type { WaitOptions } from './platform/waits'
export type { QueueInfo } from './queues/work-queues'
export type { LatencyStats } from './requests/latency-histogram'
export type { Reply, ReplyStream } from './requests/reply-stream'
export type { RequestStats } from './requests/request-count'
export type { RequestAllOptions, RequestOptions } from './requests/requester'
export type { RespondOptions } from './requests/responders'
export type { EndpointStats, LoopDelayStats, ProcessStats } from './stats'
