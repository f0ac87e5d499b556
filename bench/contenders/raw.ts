import type { Contender } from './contender'
import { MODES } from './mode'
import { type Codec, SOCKET_SETTINGS, SocketStation } from './socket-station'

const codec: Codec = {
  encode(payload) {
    if (payload instanceof Buffer) return payload
    throw new TypeError(`expected a Buffer, got ${String(payload)}`)
  },
  decoder: () => (bytes, start, end) => bytes.subarray(start, end),
}

/** No codec at all: what sockets themselves can do. */
export const raw: Contender = {
  name: 'raw',
  settings: `${SOCKET_SETTINGS}, bytes as they are`,
  payloads: ['binary'],
  modes: MODES,
  join: (seat) => SocketStation.open(seat, codec),
}
