import { broadcastChannel } from './broadcast-channel'
import type { Contender } from './contender'
import { ipc } from './ipc'
import { lahja } from './lahja'
import { loop, loopRecords, raw } from './loops'
import { nats } from './nats'
import { redis } from './redis'
import { zeromq } from './zeromq'
import { zeromqPush } from './zeromq-push'

export const contenders: readonly Contender[] = [
  lahja,
  loop,
  loopRecords,
  raw,
  zeromq,
  zeromqPush,
  nats,
  redis,
  ipc,
  broadcastChannel,
]

export const contenderNames = contenders.map(({ name }) => name)

/** @throws RangeError for an unknown name */
export function contenderOf(name: string): Contender {
  const found = contenders.find((contender) => contender.name === name)
  if (found) return found
  throw new RangeError(`expected one of ${contenderNames.join(', ')}, got '${name}'`)
}
