import { pack, unpack } from 'msgpackr'
import type { Contender } from './contender'
import { MODES } from './mode'
import { PAYLOADS } from './payload'
import { type Codec, SOCKET_SETTINGS, SocketStation } from './socket-station'
import { versionOf } from './version'

export const TYPE = 'bench.sample'

/** Where in the bytes the frame is. One for all: it is read before the next is set. */
const range = { start: 0, end: 0 }

const codec: Codec = {
  encode: (payload) => pack([TYPE, payload]),
  decoder: () => (bytes, start, end) => {
    range.start = start
    range.end = end
    return payloadOf(unpack(bytes, range))
  },
}

export function payloadOf(frame: unknown): unknown {
  if (Array.isArray(frame) && frame[0] === TYPE) return frame[1]
  throw new TypeError(`expected [${TYPE}, payload], got ${JSON.stringify(frame)}`)
}

/** What one writes by hand. */
export const loop: Contender = {
  name: 'loop',
  settings: `${SOCKET_SETTINGS}, [type, payload] by pack and unpack of msgpackr ${versionOf('msgpackr')}`,
  payloads: PAYLOADS,
  modes: MODES,
  join: (seat) => SocketStation.open(seat, codec),
}
