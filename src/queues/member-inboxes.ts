import type { Channel } from '../channel/channel'
import { type Interest, isInterestedIn } from '../model/interest'
import { matches } from '../model/pattern'
import type { Delivery, Recall } from '../wire/message'
import { MemberInbox, type MemberInboxContext } from './member-inbox'

/** What differs from member to member. */
type OfMember = 'member' | 'queue' | 'capacity' | keyof Consumption

/** How a member consumes its events. */
type Consumption = Pick<MemberInboxContext, 'concurrency' | 'isAdaptive' | 'handle' | 'takeBack'>

/** The inboxes of an endpoint's pull members. */
export class MemberInboxes {
  readonly #context: Omit<MemberInboxContext, OfMember>
  readonly #open = new Map<number, MemberInbox>()
  /** Those of ended subscriptions that still have events in hand. */
  readonly #ending = new Set<MemberInbox>()
  #members = 0

  constructor(context: Omit<MemberInboxContext, OfMember>) {
    this.#context = context
  }

  /** The interest of a new member, with its number, if it is a pull member. */
  joined(interest: Interest): Interest {
    return interest.capacity === undefined ? interest : { ...interest, member: ++this.#members }
  }

  get isIdle(): boolean {
    for (const inbox of this.#open.values()) if (!inbox.isIdle) return false
    return this.#ending.size === 0
  }

  /** Whether members have events of a sender in hand. */
  hasWorkOf(channel: Channel): boolean {
    for (const inbox of [...this.#open.values(), ...this.#ending]) if (inbox.hasWorkOf(channel)) return true
    return false
  }

  /** Opens the inbox of a member, if it is a pull member. */
  open(interest: Interest, consumption: Consumption): MemberInbox | undefined {
    const { member, queue, capacity } = interest
    if (member === undefined || queue === undefined || capacity === undefined) return undefined
    const { admits } = this.#context
    const inbox: MemberInbox = new MemberInbox({
      ...this.#context,
      member,
      queue,
      capacity,
      ...consumption,
      // Peers know, but are not trusted to obey.
      admits: (channel, type) => {
        return matches(interest.type, type) && isInterestedIn(interest, channel.identity) && admits(channel, type)
      },
      idle: () => {
        // An endpoint that closes may not get to the end of the turn.
        if (this.#ending.delete(inbox)) inbox.report()
        this.#context.idle()
      },
    })
    this.#open.set(member, inbox)
    return inbox
  }

  /** The subscription of a member has ended. */
  close(member: number): void {
    const inbox = this.#open.get(member)
    if (!inbox) return
    this.#open.delete(member)
    inbox.close()
    if (!inbox.isIdle) this.#ending.add(inbox)
  }

  /** @throws ProtocolViolation for more events than the member takes */
  take(delivery: Delivery, channel: Channel): void {
    const { member, number } = delivery
    const inbox = this.#open.get(member)
    if (inbox) return inbox.take(delivery, channel)
    channel.sendMessage({
      kind: 'progress',
      member,
      capacity: 0,
      begun: 0,
      handled: [],
      returned: [number, 1],
    })
  }

  /** A sender asks for events back that a member has not begun. */
  recall({ member, through }: Recall, channel: Channel): void {
    this.#open.get(member)?.recall(channel, through)
  }

  /** The endpoint leaves: from now on events go back that others may have. */
  leave(): void {
    for (const inbox of this.#open.values()) inbox.leave()
  }

  /** The endpoint has not much time left: what its senders can keep for others goes back to them. */
  finish(): void {
    for (const inbox of this.#open.values()) inbox.finish()
  }

  /** Returns everything that has not begun, now and later. */
  stop(): void {
    for (const inbox of this.#open.values()) inbox.close()
  }

  /** Tells all senders now what has been settled, not at the end of the turn. */
  report(): void {
    for (const inbox of [...this.#open.values(), ...this.#ending]) inbox.report()
  }

  onClosed(channel: Channel, hasLeft: boolean): void {
    for (const inbox of [...this.#open.values(), ...this.#ending]) inbox.onClosed(channel, hasLeft)
  }
}
