import { chmodSync, chownSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { inspect } from 'node:util'
import { runInNewContext } from 'node:vm'
import { expect } from 'chai'
import { helloOf } from '../src/mesh/agreement'
import { InvalidArgument } from '../src/model/errors'
import { DEFAULT_LIMITS, HANDSHAKE_FRAME_BYTES } from '../src/model/limits'
import { policyOf } from '../src/model/overflow'
import { settingsOf } from '../src/options'
import { encodeMessage } from '../src/wire/codec'
import { temporaryDirectory } from './support/temporary-directory'
import { isRoot } from './support/user'
import { turn } from './support/workbench'

const VARIABLES = ['LAHJA_DIRECTORY', 'XDG_RUNTIME_DIR']

/** The settings of options that TypeScript rejects. */
function settle(options: unknown): unknown {
  return Reflect.apply(settingsOf, undefined, [options])
}

describe('settingsOf', () => {
  const before = new Map(VARIABLES.map((variable) => [variable, process.env[variable]]))

  beforeEach(() => {
    for (const variable of VARIABLES) delete process.env[variable]
  })

  afterEach(() => {
    for (const [variable, value] of before) {
      if (value === undefined) delete process.env[variable]
      else process.env[variable] = value
    }
  })

  it('fills in defaults', () => {
    const { directory, ownParents, ...rest } = settingsOf({ name: 'shop' })
    expect(rest).to.deep.equal({
      name: 'shop',
      isPrefix: false,
      waitForName: 0,
      wait: { timeout: undefined, signal: undefined },
      groups: [],
      accepts: undefined,
      secret: undefined,
      overflow: 'wait',
      requireSubscriber: false,
      watch: true,
      introspection: true,
      limits: DEFAULT_LIMITS,
      pid: process.pid,
    })
  })

  it('takes every given option', () => {
    const limits = { frameBytes: 8192, outboxBytes: 16_384, patience: 0, pendingRequests: 7 }
    const given = {
      name: 'shop',
      directory: '/run/shop',
      groups: ['web', 'eu'],
      accepts: ['order.*', 'tick', '>'],
      overflow: 'dropOldest',
      requireSubscriber: true,
      watch: false,
      introspection: false,
      waitForName: 500,
    } as const
    const wait = { timeout: 900, signal: new AbortController().signal }
    expect(settingsOf({ ...given, ...wait, limits })).to.deep.equal({
      ...given,
      wait,
      isPrefix: false,
      secret: undefined,
      ownParents: [],
      limits: { ...DEFAULT_LIMITS, highWaterMark: 8188, ...limits },
      pid: process.pid,
    })
  })

  it('treats undefined as the default for every option', () => {
    const limits = Object.fromEntries(Object.keys(DEFAULT_LIMITS).map((limit) => [limit, undefined]))
    const given = ['bus', 'groups', 'accepts', 'secret', 'overflow', 'requireSubscriber', 'watch', 'waitForName']
    const options = Object.fromEntries(given.map((option) => [option, undefined]))
    const defaults = settingsOf({ name: 'shop', directory: '/bus' })
    expect(settingsOf({ name: 'shop', directory: '/bus', ...options, limits })).to.deep.equal(defaults)
    expect(settingsOf({ name: 'shop', directory: '/bus', limits: undefined })).to.deep.equal(defaults)
  })

  it('copies the options and leaves them unchanged', () => {
    const options = Object.freeze({
      name: 'shop',
      groups: Object.freeze(['web']),
      accepts: Object.freeze(['order.*']),
      limits: Object.freeze({ frameBytes: 8192 }),
    })
    expect(settingsOf(options).groups).not.to.equal(options.groups)
    expect(settingsOf(options).accepts).not.to.equal(options.accepts)
  })

  for (const overflow of ['wait', 'dropOldest', 'dropNewest', 'latest', 'disconnect'] as const) {
    it(`accepts ${overflow} as overflow`, () => {
      expect(settingsOf({ name: 'a', overflow }).overflow).to.equal(overflow)
    })
  }

  it('accepts a key function for overflow latest', () => {
    const { overflow } = settingsOf({ name: 'a', overflow: { latest: (payload) => `key of ${payload}` } })
    expect(policyOf(overflow, 'price', 7)).to.deep.equal({ kind: 'latest', key: 'price key of 7' })
  })

  it('accepts text or bytes of any realm as a secret, and copies them', () => {
    const bytes = Buffer.from('open sesame')
    const { secret } = settingsOf({ name: 'a', secret: bytes })
    const { secret: fromText } = settingsOf({ name: 'a', secret: 'open sesame' })
    const far = runInNewContext(`new Uint8Array([${[...bytes]}])`)
    const { secret: fromAnotherRealm } = settingsOf({ name: 'a', secret: far })
    bytes.fill(0)
    const side = (name: string) => ({ name, id: '0000000000000', nonce: Buffer.alloc(32) })
    const sides = { dialler: side('a'), acceptor: side('b') }
    expect(secret?.proof('dialler', sides)).to.deep.equal(fromText?.proof('dialler', sides))
    expect(secret?.proof('dialler', sides)).to.deep.equal(fromAnotherRealm?.proof('dialler', sides))
  })

  for (const secret of ['', Buffer.alloc(0), 12345, null, ['sesame'], { text: 'sesame' }, new Uint16Array(3)]) {
    it(`throws for the secret ${inspect(secret)} without quoting it`, () => {
      expect(() => settle({ name: 'a', secret }))
        .to.throw(InvalidArgument)
        .with.property('message')
        .that.equals('secret: expected a string or a Uint8Array of at least one byte, got another value')
    })
  }

  it('distinguishes accepting nothing from accepting everything', () => {
    expect(settingsOf({ name: 'a', accepts: [] }).accepts).to.deep.equal([])
    expect(settingsOf({ name: 'a' }).accepts).to.equal(undefined)
  })

  describe('throws an error with the option, the expected and the actual value for', () => {
    const cases: Readonly<Record<string, [options: unknown, message: string]>> = {
      'missing options': [undefined, 'options: expected { name, … }, got undefined'],
      'a name for options': ['shop', "options: expected { name, … }, got 'shop'"],
      'a missing name': [
        {},
        'name: expected 1 to 64 of A-Z a-z 0-9 . _ -, the first a letter or a digit, got undefined',
      ],
      'a bad name': [{ name: 'a b' }, "got 'a b'"],
      'a name that is not a string': [{ name: 7 }, 'name: expected 1 to 64 of A-Z a-z 0-9 . _ -, the first a letter'],
      'groups that are a string': [{ name: 'a', groups: 'web' }, "groups: expected an array of names, got 'web'"],
      'groups that are a Set': [
        { name: 'a', groups: new Set(['web']) },
        'groups: expected an array of names, got an instance of Set',
      ],
      'a bad group': [{ name: 'a', groups: ['web', 'e u'] }, 'groups[1]: expected 1 to 64'],
      'a group that is not a string': [{ name: 'a', groups: [{ group: 'web' }] }, 'groups[0]: expected 1 to 64'],
      'patterns that are a string': [{ name: 'a', accepts: '>' }, "accepts: expected an array of patterns, got '>'"],
      'patterns that are null': [{ name: 'a', accepts: null }, 'accepts: expected an array of patterns, got null'],
      'a bad pattern': [
        { name: 'a', accepts: ['order.*', 'a.>.b'] },
        "event type: expected tokens joined by dots, '*' for any one token, '>' at the end for the rest, got 'a.>.b'",
      ],
      'a pattern that is not a string': [{ name: 'a', accepts: [7] }, 'event type: expected tokens joined by dots'],
      'more patterns than fit into a hello': [
        { name: 'a', accepts: Array.from({ length: 20 }, (_, index) => `${index}`.padEnd(200, 'x')) },
        'groups, accepts: expected at most 3072 bytes together, got 4038',
      ],
      'more groups and patterns together than fit into a hello': [
        {
          name: 'a',
          groups: Array.from({ length: 30 }, (_, index) => `${index}`.padEnd(60, 'x')),
          accepts: Array.from({ length: 10 }, (_, index) => `${index}`.padEnd(150, 'x')),
        },
        'groups, accepts: expected at most 3072 bytes together, got ',
      ],
      'requireSubscriber as a string': [
        { name: 'a', requireSubscriber: 'false' },
        "requireSubscriber: expected true or false, got 'false'",
      ],
      'watch as a number': [{ name: 'a', watch: 0 }, 'watch: expected true or false, got 0'],
      'an unknown overflow': [
        { name: 'a', overflow: 'drop' },
        "overflow: expected 'wait', 'dropOldest', 'dropNewest', 'latest', { latest: (payload) => key } or 'disconnect', got 'drop'",
      ],
      'an overflow that is a number': [{ name: 'a', overflow: 1 }, "overflow: expected 'wait', "],
      'an overflow key that is not a function': [
        { name: 'a', overflow: { latest: 'key' } },
        "overflow: expected 'wait', ",
      ],
      'an empty directory': [{ name: 'a', directory: '' }, "directory: expected a path, got ''"],
      'a directory that is not a string': [
        { name: 'a', directory: new URL('file:///run') },
        'directory: expected a path, got an instance of URL',
      ],
      'a bus that is a path': [{ name: 'a', bus: '../other' }, 'bus: expected 1 to 64 of A-Z a-z 0-9 . _ -'],
      'a bus that is not a string': [{ name: 'a', bus: 1 }, 'bus: expected 1 to 64 of A-Z a-z 0-9 . _ -'],
      'limits that are a number': [{ name: 'a', limits: 5 }, 'limits: expected '],
      'limits that are true': [{ name: 'a', limits: true }, 'limits: expected '],
      'a limit by its old name': [
        { name: 'a', limits: { outbox: 1 } },
        "limits.outbox was renamed in 0.2.0: use 'outboxBytes'",
      ],
      'a misspelt option': [
        { name: 'a', directry: '/run/shop' },
        "Endpoint.start has no option 'directry': did you mean 'directory'?",
      ],
      'a shortened option': [
        { name: 'a', dir: '/run/shop' },
        "Endpoint.start has no option 'dir': did you mean 'directory'?",
      ],
      'an unknown option': [
        { name: 'a', colour: 'red' },
        "Endpoint.start has no option 'colour': expected one of name, waitForName, ",
      ],
      'a misspelt limit': [
        { name: 'a', limits: { frameByte: 1 } },
        "limits has no option 'frameByte': did you mean 'frameBytes'?",
      ],
      'an unknown limit': [
        { name: 'a', limits: { frames: 1 } },
        "limits has no option 'frames': expected one of frameBytes, ",
      ],
      'an unknown limit without a value': [
        { name: 'a', limits: { frames: undefined } },
        "limits has no option 'frames': expected one of ",
      ],
      'a limit that is a string': [
        { name: 'a', limits: { frameBytes: '8192' } },
        "limits.frameBytes: expected a whole number from 4096 to 67108864, got '8192'",
      ],
      'an outbox smaller than a frame': [
        { name: 'a', limits: { frameBytes: 8192, outboxBytes: 8191 } },
        'limits.outboxBytes: expected at least limits.frameBytes + 4 (8196), got 8191',
      ],
      'a high-water mark above any outbox': [
        { name: 'a', limits: { highWaterMark: 2 ** 23 } },
        'limits.highWaterMark: expected at most limits.outboxBytes - limits.frameBytes - 4 (7340028), got 8388608',
      ],
      'a redialMin above redialMax': [
        { name: 'a', limits: { redialMin: 20, redialMax: 10 } },
        'limits.redialMax: expected at least limits.redialMin (20), got 10',
      ],
      'more groups than fit into a hello': [
        { name: 'a', groups: Array.from({ length: 80 }, (_, index) => `${index}`.padEnd(60, 'x')) },
        'groups, accepts: expected ',
      ],
    }

    for (const [what, [options, message]] of Object.entries(cases)) {
      it(what, () => {
        expect(() => settle(options)).to.throw(InvalidArgument, message)
      })
    }
  })

  describe('bounds every limit:', () => {
    const least = {
      frameBytes: 4096,
      handshakeTimeout: 1,
      pendingHandshakes: 1,
      highWaterMark: 0,
      outboxBytes: 4100,
      outboxTotalBytes: 4100 + 65_536,
      windowBytes: 1,
      patience: 0,
      slowShare: 0,
      pendingRequests: 1,
      interests: 1,
      redialMin: 1,
      redialMax: 1,
      rescanInterval: 1,
      pingInterval: 1,
      silentPings: 1,
    } satisfies typeof DEFAULT_LIMITS

    it('all of them are tested', () =>
      expect(Object.keys(least).sort()).to.deep.equal(Object.keys(DEFAULT_LIMITS).sort()))

    it('slowShare is a part of 1', () => {
      for (const slowShare of [0, 0.1, 1])
        expect(settingsOf({ name: 'a', limits: { slowShare } }).limits).to.include({ slowShare })
      for (const slowShare of [-0.1, 1.1, Number.NaN, '1', null]) {
        expect(() => Reflect.apply(settingsOf, undefined, [{ name: 'a', limits: { slowShare } }])).to.throw(
          InvalidArgument,
          'limits.slowShare: expected a number from 0 to 1',
        )
      }
    })

    for (const [limit, lowest] of Object.entries(least)) {
      if (limit === 'slowShare') continue
      const highest =
        limit === 'frameBytes' ? 64 * 1024 * 1024 : limit === 'highWaterMark' ? 2 ** 31 - 1 - 4100 : 2 ** 31 - 1
      // The limits that bound each other leave room for the tested one.
      const rooms: Readonly<Record<string, object>> = {
        frameBytes: { outboxBytes: 2 ** 31 - 1 },
        highWaterMark: { frameBytes: 4096, outboxBytes: 2 ** 31 - 1 },
        outboxBytes: { frameBytes: 4096 },
        outboxTotalBytes: { frameBytes: 4096, outboxBytes: 4100 },
      }
      const room = rooms[limit] ?? {}
      const limited = (value: unknown) => settle({ name: 'a', limits: { ...room, [limit]: value } })

      it(`${limit} from ${lowest} to ${highest}`, () => {
        for (const value of [lowest, highest]) expect(limited(value)).to.have.nested.property(`limits.${limit}`, value)
        for (const value of [lowest - 1, highest + 1, lowest + 0.5, -1, NaN, Infinity, null, 10n]) {
          expect(() => limited(value), String(value)).to.throw(
            InvalidArgument,
            `limits.${limit}: expected a whole number from ${lowest} to ${highest}, got `,
          )
        }
      })
    }

    it('every default is within its bounds', () => {
      expect(settingsOf({ name: 'a', limits: DEFAULT_LIMITS }).limits).to.deep.equal(DEFAULT_LIMITS)
    })
  })

  it('accepts no more groups and patterns than fit into a hello', () => {
    const tokens = (count: number, bytes: number) => Array<string>(count).fill('x'.repeat(bytes))
    for (const [groups, accepts] of [
      [tokens(49, 60), tokens(0, 0)],
      [tokens(0, 0), tokens(11, 255)],
      [tokens(0, 0), tokens(1024, 1)],
      [tokens(19, 64), tokens(7, 240)],
    ] as const) {
      const name = 'n'.repeat(64)
      const most = { frameLimit: 2 ** 31, window: 2 ** 31, requestLimit: 2 ** 31 }
      const settings = settingsOf({ name, groups, accepts })
      const frame = encodeMessage(helloOf({ id: '0'.repeat(13), ...most, ...settings }, Buffer.alloc(32)))
      expect(frame.end - frame.start - 4).to.be.at.most(HANDSHAKE_FRAME_BYTES)
    }
  })

  describe('chooses the directory', () => {
    const runtime = temporaryDirectory()
    const perUser = join(tmpdir(), `lahja-${process.getuid?.() ?? ''}`)

    it('from the option first, made absolute', () => {
      process.env.LAHJA_DIRECTORY = '/from/variable'
      process.env.XDG_RUNTIME_DIR = '/run/user/1'
      expect(settingsOf({ name: 'a', directory: 'my/bus' })).to.deep.include({
        directory: join(process.cwd(), 'my', 'bus'),
        ownParents: [],
      })
    })

    it('from $LAHJA_DIRECTORY next, with a subdirectory for each bus but the default one', () => {
      process.env.LAHJA_DIRECTORY = '/from/variable'
      process.env.XDG_RUNTIME_DIR = '/run/user/1'
      for (const bus of [undefined, 'default']) {
        expect(settingsOf({ name: 'a', bus })).to.deep.include({ directory: '/from/variable', ownParents: [] })
      }
      const other = { directory: '/from/variable/other', ownParents: [] }
      expect(settingsOf({ name: 'a', bus: 'other' })).to.deep.include(other)
      expect(() => settingsOf({ name: 'a', bus: '../other' })).to.throw(InvalidArgument, 'bus: expected')
      process.env.LAHJA_DIRECTORY = 'relative'
      expect(settingsOf({ name: 'a' }).directory).to.equal(join(process.cwd(), 'relative'))
    })

    it('under $XDG_RUNTIME_DIR next, by bus name', () => {
      process.env.XDG_RUNTIME_DIR = runtime.path
      const parent = join(runtime.path, 'lahja')
      expect(settingsOf({ name: 'a' })).to.deep.include({ directory: join(parent, 'default'), ownParents: [parent] })
      expect(settingsOf({ name: 'a', bus: 'other' }).directory).to.equal(join(parent, 'other'))
    })

    const spoilt: Record<string, (path: string) => void> = {
      'is open to others': (path) => chmodSync(path, 0o755),
      'does not exist': (path) => rmdirSync(path),
    }
    if (isRoot) spoilt["is another user's, as under sudo -E"] = (path) => chownSync(path, 12_345, 12_345)

    for (const [what, spoil] of Object.entries(spoilt)) {
      it(`not under an $XDG_RUNTIME_DIR that ${what}, with one warning`, async () => {
        const warnings: Error[] = []
        const note = (warning: Error) => warnings.push(warning)
        process.on('warning', note)
        process.env.XDG_RUNTIME_DIR = runtime.path
        spoil(runtime.path)
        for (let twice = 0; twice < 2; twice++) {
          expect(settingsOf({ name: 'a' }).directory).to.equal(join(perUser, 'default'))
        }
        await turn()
        process.off('warning', note)
        expect(warnings).to.have.length(1)
        expect(warnings[0]).to.include({ name: 'LahjaWarning', code: 'LAHJA_RUNTIME_DIRECTORY' })
        expect(warnings[0]?.message).to.include(`(${runtime.path}) but ${perUser}:`)
      })
    }

    it('under the temporary directory last, one per user', () => {
      expect(settingsOf({ name: 'a' })).to.deep.include({ directory: join(perUser, 'default'), ownParents: [perUser] })
      process.env.XDG_RUNTIME_DIR = ''
      expect(settingsOf({ name: 'a', bus: 'other' }).directory).to.equal(join(perUser, 'other'))
    })

    it('as an absolute path even if $XDG_RUNTIME_DIR is relative', () => {
      process.env.XDG_RUNTIME_DIR = 'run'
      expect(isAbsolute(settingsOf({ name: 'a' }).directory)).to.equal(true)
    })
  })
})
