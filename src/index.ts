export type { RequestOptions } from './asker'
export type { Audience } from './audience'
export type { AllSubscribedOptions } from './awareness'
export type { Boundary } from './boundary'
export type { BroadcastOptions } from './broadcaster'
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
} from './definition'
export { type CloseOptions, Endpoint } from './endpoint'
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
  WaitTimeout,
} from './errors'
export type { Event, Handler, RequestEvent, RequestHandler } from './event'
export type { EventStream, StreamOptions } from './event-stream'
export type { Limits } from './limits'
export type { EndpointEvents, Loss } from './notifier'
export type { EndpointOptions } from './options'
export type { Overflow } from './overflow'
export type { Peer } from './peer'
export type { Reply, ReplyStream } from './reply-stream'
export type { Responder } from './responder'
export type { RespondOptions } from './responders'
export type { StandardSchema } from './schema'
export type { Subscription } from './subscription'
export type { WaitOptions } from './waits'
export type { SubscribeOptions, WaitForOptions } from './wish'
