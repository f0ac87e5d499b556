import { Packr, Unpackr } from 'msgpackr'
import type { Contender } from './contender'
import { payloadOf, TYPE } from './loop'
import { MODES } from './mode'
import { PAYLOADS } from './payload'
import { type Codec, SOCKET_SETTINGS, SocketStation } from './socket-station'
import { versionOf } from './version'

/** Shapes of objects are told once, in the stream itself: a receiver has to have read it from its beginning. */
const packr = new Packr({ sequential: true })

const codec: Codec = {
  encode: (payload) => packr.pack([TYPE, payload]),
  decoder() {
    const unpackr = new Unpackr({ sequential: true })
    const range = { start: 0, end: 0 }
    return (bytes, start, end) => {
      range.start = start
      range.end = end
      return payloadOf(unpackr.unpack(bytes, range))
    }
  },
}

/** What one writes by hand where all that read it are written by the same hand. */
export const loopRecords: Contender = {
  name: 'loop-records',
  settings: `${SOCKET_SETTINGS}, [type, payload] as sequential records of msgpackr ${versionOf('msgpackr')}`,
  payloads: PAYLOADS,
  modes: MODES,
  join: (seat) => SocketStation.open(seat, codec),
}
