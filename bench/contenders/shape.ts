/** The stamp of a payload that is an object. */
export interface Stamp {
  readonly sequence: number
  readonly origin: number
  readonly sentAt: number
}

/** A kind of object, as applications send them: beside its stamp it has the same in every event, so that making it costs little. */
export interface Shape {
  make(sequence: number, origin: number, sentAt: number): Stamp
  /** A look at its end, or at what is longest in it. */
  isWhole(value: Readonly<Record<string, unknown>>): boolean
}

const bytesOf = (length: number, seed = 7) => Buffer.from(Array.from({ length }, (_, index) => index * seed + 1))

const lengthOf = (value: unknown) => (Array.isArray(value) || value instanceof Uint8Array ? value.length : -1)

const DATA = bytesOf(100)
const LARGE = bytesOf(10 * 1024)
const PIECES = [20, 64, 200].map((length) => bytesOf(length))
const HASHES = Array.from({ length: 8 }, (_, index) => bytesOf(32, 2 * index + 3))
const BLOOM = bytesOf(256)
const MINER = bytesOf(20)

/** By how many fields it has, its stamp included. */
function wide(fields: number): Shape {
  const values = [7, 'some text', 129.95, true, null, 70_000, 'another, longer text']
  const rest = Object.fromEntries(
    Array.from({ length: fields - 3 }, (_, index) => [`field${index}`, values[index % values.length]]),
  )
  return {
    make: (sequence, origin, sentAt) => ({ sequence, origin, sentAt, ...rest }),
    isWhole: ({ field0, [`field${fields - 4}`]: last }) => field0 === 7 && last !== undefined,
  }
}

const USER = { id: 7, name: 'Ada Lovelace', roles: ['reader', 'writer'] }
const CART = {
  items: [
    { sku: 'w1', count: 2 },
    { sku: 'w2', count: 1 },
  ],
  total: { net: 99.5, gross: 118.4 },
}
const ROWS = Array.from({ length: 20 }, (_, index) => ({ id: index, name: `row ${index}`, price: index * 1.1 }))
const DUE = new Date(1_800_000_000_000)
const STOCK = new Map([
  ['apples', 12],
  ['pears', 7],
  ['plums', 40],
])
const REQUEST = {
  method: 'GET',
  url: '/api/v1/customers/12345/invoices?expand=lines&from=2026-01-01&to=2026-11-30',
  headers: { accept: 'application/json', 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36' },
}
const RESPONSE = { status: 200, bytes: 18_432, milliseconds: 12.75 }
const TAGS = ['invoices', 'print', 'back-office']

export const SHAPES = {
  'flat-3': { make: (sequence, origin, sentAt) => ({ sequence, origin, sentAt }), isWhole: () => true },
  'flat-40': wide(40),
  nested: {
    make: (sequence, origin, sentAt) => ({
      sequence,
      origin,
      sentAt,
      user: USER,
      cart: CART,
    }),
    isWhole: ({ cart }) => typeof cart === 'object' && cart !== null && 'total' in cart,
  },
  list: {
    make: (sequence, origin, sentAt) => ({
      sequence,
      origin,
      sentAt,
      rows: ROWS,
    }),
    isWhole: ({ rows }) => lengthOf(rows) === 20,
  },
  bytes: {
    make: (sequence, origin, sentAt) => ({ sequence, origin, sentAt, data: DATA }),
    isWhole: ({ data }) => lengthOf(data) === DATA.length,
  },
  'bytes-10k': {
    make: (sequence, origin, sentAt) => ({ sequence, origin, sentAt, data: LARGE }),
    isWhole: ({ data }) => lengthOf(data) === LARGE.length,
  },
  pieces: {
    make: (sequence, origin, sentAt) => ({
      sequence,
      origin,
      sentAt,
      key: PIECES[0],
      value: PIECES[1],
      proof: PIECES[2],
    }),
    isWhole: ({ proof }) => lengthOf(proof) === 200,
  },
  dates: {
    make: (sequence, origin, sentAt) => ({
      sequence,
      origin,
      sentAt,
      created: new Date(1_700_000_000_000 + sequence),
      due: DUE,
    }),
    isWhole: ({ due }) => due instanceof Date,
  },
  undefined: {
    make: (sequence, origin, sentAt) => ({ sequence, origin, sentAt, note: undefined, parent: undefined, last: 1 }),
    isWhole: (value) => 'note' in value && value.last === 1,
  },
  numbers: {
    make: (sequence, origin, sentAt) => ({
      sequence,
      origin,
      sentAt,
      id: 1_099_511_627_776 + sequence,
      ratio: 0.123_456_789,
      balance: 1_234_567_890_123_456_789n,
      offset: -70_000,
    }),
    isWhole: ({ balance }) => typeof balance === 'bigint',
  },
  map: {
    make: (sequence, origin, sentAt) => ({
      sequence,
      origin,
      sentAt,
      stock: STOCK,
    }),
    // It arrives as an object.
    isWhole: ({ stock }) => stock instanceof Map || (typeof stock === 'object' && stock !== null && 'plums' in stock),
  },
  log: {
    make: (sequence, origin, sentAt) => ({
      sequence,
      origin,
      sentAt,
      level: 'info',
      message:
        'request completed: the customer was told, and the invoice is on its way to the printer in the back office',
      host: 'worker-17.eu-central.example.net',
      request: REQUEST,
      response: RESPONSE,
      tags: TAGS,
    }),
    isWhole: ({ tags }) => lengthOf(tags) === 3,
  },
  header: {
    make: (sequence, origin, sentAt) => ({
      sequence,
      origin,
      sentAt,
      parentHash: HASHES[0],
      unclesHash: HASHES[1],
      coinbase: MINER,
      stateRoot: HASHES[2],
      transactionRoot: HASHES[3],
      receiptRoot: HASHES[4],
      bloom: BLOOM,
      difficulty: 0,
      blockNumber: 19_000_000,
      gasLimit: 30_000_000,
      gasUsed: 12_345_678,
      timestamp: 1_700_000_000,
      extraData: MINER,
      mixHash: HASHES[5],
      nonce: 0n,
    }),
    isWhole: ({ mixHash, bloom }) => lengthOf(mixHash) === 32 && lengthOf(bloom) === 256,
  },
} as const satisfies Readonly<Record<string, Shape>>

export type ShapeName = keyof typeof SHAPES

export function isShapeName(name: string): name is ShapeName {
  return name in SHAPES
}

export const SHAPE_NAMES = Object.keys(SHAPES).filter(isShapeName)
