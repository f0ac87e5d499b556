import { Packr, pack, Unpackr, unpack } from 'msgpackr'
import type { StreamCodec } from './codec'
import { type Contender, MODES, type Mode } from './contender'
import { versionOf } from './packages'
import { bufferOf, PAYLOADS, type PayloadName } from './payload'
import { SOCKET_SETTINGS, SocketStation } from './socket-station'

const TYPE = 'bench.sample'

/** Frames of `[type, payload]`. */
function typedCodec(packr: Pick<Packr, 'pack'>, unpackrOf: () => Pick<Unpackr, 'unpack'>): StreamCodec {
  return {
    encode: (payload) => packr.pack([TYPE, payload]),
    decoder() {
      const unpackr = unpackrOf()
      const range = { start: 0, end: 0 }
      return (bytes, start, end) => {
        range.start = start
        range.end = end
        const frame: unknown = unpackr.unpack(bytes, range)
        if (Array.isArray(frame) && frame[0] === TYPE) return frame[1]
        throw new TypeError(`expected [${TYPE}, payload], got ${JSON.stringify(frame)}`)
      }
    },
  }
}

function socketContender(
  name: string,
  codec: StreamCodec,
  format: string,
  payloads: readonly PayloadName[] = PAYLOADS,
  modes: readonly Mode[] = MODES,
): Contender {
  const settings = `${SOCKET_SETTINGS}, ${format}`
  return { name, settings, payloads, modes, join: (seat) => SocketStation.open(seat, codec) }
}

/** A loop over sockets, as written by hand. */
export const loop = socketContender(
  'loop',
  typedCodec({ pack }, () => ({ unpack })),
  `[type, payload] by pack and unpack of msgpackr ${versionOf('msgpackr')}`,
)

/** The same, where the shape of an object is sent once: every receiver has to read the stream from its beginning. */
export const loopRecords = socketContender(
  'loop-records',
  typedCodec(new Packr({ sequential: true }), () => new Unpackr({ sequential: true })),
  `[type, payload] as sequential records of msgpackr ${versionOf('msgpackr')}`,
  PAYLOADS,
  MODES.filter((mode) => mode !== 'queue'),
)

/** No codec: the limit of the sockets themselves. */
export const raw = socketContender(
  'raw',
  { encode: bufferOf, decoder: () => (bytes, start, end) => bytes.subarray(start, end) },
  'bytes as they are',
  ['binary'],
)
