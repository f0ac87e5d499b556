import { join } from 'node:path'
import { Child } from '../workers/child'
import { inScratchDirectory } from '../workers/scratch-directory'

/** Events per second of the polite sender. */
const RATE = 1000

/**
 * One sender at a moderate rate, alone or beside another one at full speed.
 *
 * @returns the 99th percentile of its latencies at their receiver, in microseconds
 */
export async function politeLatency(events: number, isFlooded: boolean): Promise<number> {
  return inScratchDirectory(async (directory) => {
    const children: Child[] = []
    const start = async (role: string) => {
      const args = [directory, role, String(events), String(RATE)]
      const child = new Child(`the ${role} process`, join(__dirname, 'flood-member.js'), args)
      children.push(child)
      await child.message()
      return child
    }
    try {
      const receiver = await start('receiver')
      if (isFlooded) await start('flooding')
      const measured = receiver.message()
      await start('polite')
      return Number(await measured)
    } finally {
      await Promise.all(children.map((child) => child.kill()))
    }
  })
}
