import type { Channel } from '../channel/channel'
import type { Member } from '../routing/routes'
import type { QueueMember } from './queue-member'

/** Who may have an event of a queue. */
export interface Receivers {
  /** Members that say how many events they take. */
  readonly takers: readonly QueueMember[]
  /** Those that don't. */
  readonly members: readonly Member<Channel>[]
}

/** A key that is the same for the same receivers, as long as none joins or leaves. */
export function keyOf({ takers, members }: Receivers): string {
  const names = takers.map(({ channel, number }) => `${channel.identity.id} ${number}`)
  return [...names, ...members.map(({ destination }) => destination.identity.id)].join()
}
