import type { Random } from './random'

/** First bytes of msgpack formats, and bytes that are invalid anywhere. */
const HEADS = [
  0x00, 0x7f, 0x80, 0x81, 0x8f, 0x90, 0x91, 0x9f, 0xa0, 0xa1, 0xbf, 0xc0, 0xc1, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7,
  0xc8, 0xc9, 0xca, 0xcb, 0xcc, 0xcd, 0xce, 0xcf, 0xd0, 0xd1, 0xd2, 0xd3, 0xd4, 0xd5, 0xd6, 0xd7, 0xd8, 0xd9, 0xda,
  0xdb, 0xdc, 0xdd, 0xde, 0xdf, 0xe0, 0xff,
] as const

/** Byte sequences that have broken decoders. */
const PIECES = [
  'ffffffff',
  '7fffffff',
  '00000000',
  '00000001',
  '80000000',
  'ddffffffff',
  'dfffffffff',
  'dbffffffff',
  'c6ffffffff',
  'c9ffffffff00',
  'd47240',
  'd572400091a161',
  'd46500',
  'd47300',
  'd47800',
  'c7027405',
  'd662',
  'd66900000001',
  'd67000000001',
  'c70942',
  'd40000',
  'd6ff00000000',
  'd7ffffffffffffffffff',
  'c70cffffffffffffffffffffffffff',
  'cb7ff8000000000000',
  'cbfff0000000000000',
  'cfffffffffffffffff',
  'd38000000000000000',
  'a95f5f70726f746f5f5f',
  'ab636f6e7374727563746f72',
  '81a95f5f70726f746f5f5f80',
  '9107',
  '9108',
  '9101',
  '920401',
  '93020190',
  '9309a0a0',
  '931200',
  '00000002910700000002',
].map((digits) => Buffer.from(digits, 'hex')) as [Buffer, ...Buffer[]]

/** Mutates some bytes; the result may be longer or shorter. */
export function mutate(bytes: Buffer, others: readonly Buffer[], random: Random): Buffer {
  let mutant = bytes
  for (let left = 1 + random.below(4); left > 0; left--) mutant = change(mutant, others, random)
  return mutant
}

function change(bytes: Buffer, others: readonly Buffer[], random: Random): Buffer {
  const at = random.below(bytes.length + 1)
  const to = Math.min(at + random.below(16), bytes.length)
  switch (random.below(10)) {
    case 0:
      return splice(bytes, at, at + 1, Buffer.of(random.below(256)))
    case 1:
      return splice(bytes, at, at + 1, Buffer.of(random.pick(HEADS)))
    case 2:
      return splice(bytes, at, at, Buffer.of(random.pick(HEADS)))
    case 3:
      return splice(bytes, at, to, Buffer.alloc(0))
    case 4:
      return splice(bytes, at, at, random.pick(PIECES))
    case 5:
      return splice(bytes, at, at + 4, random.pick(PIECES))
    case 6:
      return splice(bytes, at, at, repeat(bytes.subarray(at, to), random))
    case 7: {
      const other = random.pick(others) ?? bytes
      const from = random.below(other.length + 1)
      return splice(bytes, at, to, other.subarray(from, from + random.below(64)))
    }
    case 8:
      return splice(bytes, at, at + 1, Buffer.of((bytes[at] ?? 0) ^ (1 << random.below(8))))
    default:
      return Buffer.from(bytes.subarray(0, at))
  }
}

function repeat(bytes: Buffer, random: Random): Buffer {
  return Buffer.concat(Array.from({ length: random.once(50) ? 2000 : random.below(20) }, () => bytes))
}

function splice(bytes: Buffer, from: number, to: number, between: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, from), between, bytes.subarray(to)])
}

/** Corrects the length prefix of a single frame. */
export function reframed(bytes: Buffer): Buffer {
  if (bytes.length < 5) return bytes
  const mutant = Buffer.from(bytes)
  mutant.writeUInt32BE(bytes.length - 4)
  return mutant
}
