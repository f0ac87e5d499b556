import type { Limits } from '../model/limits'
import type { Address } from '../platform/address'
import type { Deadline } from '../platform/deadline'
import type { Waits } from '../platform/waits'
import type { World } from '../platform/world'

export interface HolderEndContext extends World {
  readonly limits: Pick<Limits, 'rescanInterval'>
  /** Whether to watch the directory, so that the end is seen before the next rescan. */
  readonly watch: boolean
  readonly waits: Waits
  /** Whether nobody waits any more. Checked at each change of `waits`. */
  readonly isOver: () => boolean
}

/** Resolves to true when the address has been withdrawn or is dead, and to false at the deadline. */
export async function holderEnd(holder: Address, context: HolderEndContext, deadline: Deadline): Promise<boolean> {
  const { transport, limits, watch, waits, isOver } = context
  let isHinted = false
  const watching = watch
    ? transport.watch(() => {
        isHinted = true
        waits.changed()
      })
    : undefined
  try {
    while (deadline.left > 0 && !isOver()) {
      if (!(await isPublished(holder, context, !isHinted))) return true
      isHinted = false
      await waits.reached(deadline.within(limits.rescanInterval), () => isHinted || isOver())
    }
    return false
  } finally {
    watching?.stop()
  }
}

/** @param mayBeDead whether to dial it too, which shows whether its process has died without withdrawing it */
async function isPublished(holder: Address, { transport }: World, mayBeDead: boolean): Promise<boolean> {
  if (!(await transport.inspect(holder))) return false
  if (!mayBeDead) return true
  const outcome = await transport.dial(holder)
  if (outcome.kind === 'connected') outcome.connection.destroy()
  return outcome.kind !== 'dead' && outcome.kind !== 'absent'
}
