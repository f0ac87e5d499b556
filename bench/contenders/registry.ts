import type { Contender } from './contender'
import { ipc } from './ipc'
import { lahja } from './lahja'
import { loop } from './loop'
import { loopRecords } from './loop-records'
import { nats } from './nats'
import { raw } from './raw'
import { redis } from './redis'
import { zeromq } from './zeromq'

export const roster: readonly Contender[] = [lahja, loop, loopRecords, raw, zeromq, nats, redis, ipc]

/** @throws RangeError that says which there are */
export function contenderOf(name: string): Contender {
  const found = roster.find((contender) => contender.name === name)
  if (found) return found
  throw new RangeError(`expected one of ${roster.map((contender) => contender.name).join(', ')}, got '${name}'`)
}
