import type { Channel } from '../channel/channel'
import type { PushMember } from '../routing/routes'
import type { QueueMember } from './queue-member'

/** Who may have an event of a queue. */
export interface Receivers {
  /** Members that say for how many events they have room. */
  readonly pullMembers: readonly QueueMember[]
  /** Those that don't. */
  readonly pushMembers: readonly PushMember<Channel>[]
}

/** A key that is the same for the same receivers, as long as none joins or leaves. */
export function keyOf({ pullMembers, pushMembers }: Receivers): string {
  const names = pullMembers.map(({ channel, number }) => `${channel.identity.id} ${number}`)
  return [...names, ...pushMembers.map(({ destination }) => destination.identity.id)].join()
}
