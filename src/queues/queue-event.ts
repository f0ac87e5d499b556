import type { Channel } from '../channel/channel'
import { referenceTo, travelsByReference } from '../channel/reference'
import type { Event, EventHeaders } from '../model/event'
import { NO_HEADERS } from '../model/headers'
import { MAX_FRAME_BYTES } from '../model/limits'
import type { Redelivery } from '../model/redelivery'
import type { Addressing } from '../routing/eligibility'
import { encodeMessage } from '../wire/codec'
import { encodeDelivery, maxDeliveryBytes } from '../wire/delivery-encoder'
import type { Frame } from '../wire/frame'
import { headed } from '../wire/message'
import { packHeaders, packPayload } from '../wire/packer'
import { unpack } from '../wire/unpacker'

/** The payload of an event, as it travels. */
export type Content =
  /** Its msgpack; empty for `undefined`. */
  | { readonly kind: 'packed'; readonly bytes: Buffer; readonly hasBigints: boolean }
  /** The payload itself, as its type never leaves the endpoint. */
  | { readonly kind: 'reference'; readonly payload: unknown }

/** The payload of an event that is not encoded. */
export function contentOf(type: string, payload: unknown): Content {
  if (travelsByReference(type)) return { kind: 'reference', payload }
  if (payload === undefined) return { kind: 'packed', bytes: Buffer.alloc(0), hasBigints: false }
  const { bytes, start, end, hasBigints } = packPayload(payload, MAX_FRAME_BYTES)
  return { kind: 'packed', bytes: Buffer.from(bytes.subarray(start, end)), hasBigints }
}

/** What an event takes in memory besides its payload, measured on Node 20. */
const HOLDING_BYTES = 400

/** What each takes on top: the key of an event, without its characters; and the timer of one that waits for a queue. */
const KEY_BYTES = 200
const HOLD_BYTES = 450

/** Headers are kept as texts too. */
const HEADERS_FACTOR = 3

/** What a payload counts for of which nobody knows what it holds. */
const REFERENCE_BYTES = 512

/** Above this, members may differ in whether they take an event. */
const ALWAYS_TAKEN_BYTES = 2048

/** The queue of an event that waits for any queue with a member that may have it. */
export const NO_QUEUE = ''

/** What its sender has said of an event besides who may have it. */
export interface Terms {
  /** The key of the policy `latest`. */
  readonly key?: string | undefined
  readonly redelivery?: Redelivery | undefined
  /** Milliseconds for which it waits for a queue. */
  readonly hold?: number | undefined
  /** Its key among the events that are handled one after another. */
  readonly partition?: string | undefined
  /** Default none. */
  readonly headers?: EventHeaders | undefined
}

/** An event of a queue, as its sender keeps it until it has been handled. */
export class QueueEvent {
  readonly queue: string
  readonly type: string
  readonly addressing: Addressing | undefined
  /** Its place among the events of the queue. */
  readonly place: number
  readonly terms: Terms
  /** Bytes of memory that it takes. */
  readonly cost: number
  /** How often it has been given to members that died or failed. */
  redelivered = 0
  readonly #content: Content
  /** In msgpack, if there are any. */
  readonly #headers: Buffer | undefined

  constructor(
    queue: string,
    type: string,
    addressing: Addressing | undefined,
    content: Content,
    place: number,
    terms: Terms = {},
  ) {
    this.queue = queue
    this.type = type
    this.addressing = addressing
    this.#content = content
    this.place = place
    this.terms = terms
    this.#headers = packHeaders(terms.headers ?? NO_HEADERS)
    const contentBytes = content.kind === 'packed' ? content.bytes.length : REFERENCE_BYTES
    this.cost = HOLDING_BYTES + contentBytes + HEADERS_FACTOR * (this.#headers?.length ?? 0) + costOf(terms)
  }

  /** The same event in another queue. */
  inQueue(queue: string): QueueEvent {
    return new QueueEvent(queue, this.type, this.addressing, this.#content, this.place, this.terms)
  }

  /** What it is, for errors. */
  get subject(): string {
    const { type, queue } = this
    return queue === NO_QUEUE ? `event ${type}, which waits for a queue,` : `event ${type} of queue ${queue}`
  }

  /** The key of the policy `latest`. */
  get key(): string | undefined {
    return this.terms.key
  }

  /** Its key among the events that are handled one after another. */
  get partition(): string | undefined {
    return this.terms.partition
  }

  get headers(): EventHeaders {
    return this.terms.headers ?? NO_HEADERS
  }

  get redelivery(): Redelivery | undefined {
    return this.terms.redelivery
  }

  /** Whether its sender has said who may have it: then it can't go to others. */
  get isFixed(): boolean {
    return this.addressing !== undefined
  }

  /** Whether nobody at other endpoints may have it. */
  get isInternal(): boolean {
    return this.#content.kind === 'reference' || this.addressing?.internal === true
  }

  /** Events with the same audience may go to the same members. */
  get audience(): string {
    const { type, addressing } = this
    const content = this.#content
    const bytes = content.kind === 'packed' ? this.#bodyBytes(content.bytes) : 0
    const size = bytes > ALWAYS_TAKEN_BYTES ? bytes : 0
    const hasBigints = content.kind === 'packed' && content.hasBigints
    // Of nearly all events. No name of a type holds a space.
    if (addressing === undefined && size === 0 && !hasBigints) return type
    return `${type} ${JSON.stringify(addressing)} ${size} ${hasBigints ? 'bigints' : ''}`
  }

  /** Whether a member at the other end takes its size, and the integers in it. */
  fits(channel: Channel): boolean {
    return this.#fits(channel, 0)
  }

  /** The same for a member to which it is assigned, in a frame that names the queue. */
  fitsAssigned(channel: Channel, queue = this.queue): boolean {
    return this.#fits(channel, Buffer.byteLength(queue))
  }

  /** Counts that it is given again. Returns whether it may be, as its type says. */
  redeliver(isAfterError: boolean): boolean {
    if (!this.redelivery || this.redelivered >= this.redelivery.times) return false
    if (isAfterError && !this.redelivery.onError) return false
    this.redelivered++
    return true
  }

  /**
   * The frame that gives it to a member.
   *
   * @param isLastResort whether no other member may have it
   */
  deliveryFrame(member: number, number: number, isLastResort = false): Frame {
    const { type, redelivered } = this
    const isFixed = this.isFixed || isLastResort
    const content = this.#content
    if (content.kind === 'packed')
      return encodeDelivery(member, number, type, isFixed, content.bytes, redelivered, this.#headers)
    const more = { ...this.#repeats, ...headed(this.headers) }
    return referenceTo({ kind: 'give', member, number, type, isFixed, payload: content.payload, ...more })
  }

  /**
   * The frame that assigns it.
   *
   * @param isLastResort whether no other member may have it
   */
  assignFrame(isLastResort = false): Frame {
    const { queue, type } = this
    const isFixed = this.isFixed || isLastResort
    const assignment = { kind: 'assign', queue, type, isFixed, payload: this.payload, ...headed(this.headers) } as const
    return this.#content.kind === 'packed' ? encodeMessage(assignment) : referenceTo(assignment)
  }

  /** As its handlers would have got it. */
  asEvent(origin: string): Event {
    const { type, payload, headers } = this
    return { type, payload, origin, headers, ...this.#repeats }
  }

  get #repeats(): Pick<Event, 'redelivered'> {
    return this.redelivered > 0 ? { redelivered: this.redelivered } : {}
  }

  #bodyBytes(payload: Buffer): number {
    return payload.length + (this.#headers?.length ?? 0)
  }

  #fits({ isOwn, sendLimit, takesBigints }: Channel, nameBytes: number): boolean {
    const content = this.#content
    if (content.kind === 'reference') return isOwn
    const bytes = maxDeliveryBytes(this.type, this.#bodyBytes(content.bytes)) + nameBytes
    return bytes <= sendLimit && (takesBigints || !content.hasBigints)
  }

  get payload(): unknown {
    const content = this.#content
    if (content.kind === 'reference') return content.payload
    return content.bytes.length === 0 ? undefined : unpack(content.bytes, 0, content.bytes.length)
  }
}

function costOf({ key, partition, hold }: Terms): number {
  return keyCost(key) + keyCost(partition) + (hold === undefined ? 0 : HOLD_BYTES)
}

function keyCost(key: string | undefined): number {
  return key === undefined ? 0 : KEY_BYTES + key.length
}
