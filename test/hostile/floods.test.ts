import { expect } from 'chai'
import type { Message } from '../../src/wire/message'
import { until } from '../support/bus'
import { encoded, frameAround } from '../support/frame-bytes'
import { helloFields, packedFrame, type RawPeer } from '../support/raw-peer'
import { attackedHost } from './attacked-host'

const HELLO = helloFields()

const MEBIBYTE = 2 ** 20

const LARGE_FRAMES = { frameBytes: 64 * MEBIBYTE, outboxBytes: 65 * MEBIBYTE }

/** Milliseconds that a turn of the event loop may take at most, even on a busy machine. */
const HANG = 5000

/** About a mebibyte of messages. */
function fill(messageOf: (index: number) => Message): Buffer {
  const count = Math.ceil(MEBIBYTE / encoded(messageOf(0)).length)
  return Buffer.concat(Array.from({ length: count }, (_, index) => encoded(messageOf(index))))
}

describe('a flood', () => {
  const { begin, dial, checkOthers, errors, notices, bus } = attackedHost()

  /** Milliseconds of the longest turn of the event loop during the call. */
  async function longestTurn(during: () => Promise<void>): Promise<number> {
    let longest = 0
    let last = performance.now()
    const timer = setInterval(() => {
      const now = performance.now()
      longest = Math.max(longest, now - last)
      last = now
    }, 1)
    await during()
    clearInterval(timer)
    return Math.max(longest, performance.now() - last)
  }

  /** Allowed messages that the host answers each time. */
  const ANSWERED: Readonly<Record<string, (index: number) => Message>> = {
    pings: () => ({ kind: 'ping' }),
    'changes of interest': () => ({ kind: 'subscribe', sequence: 1, interests: [] }),
    'requests without a responder': (id) => ({ kind: 'request', id, type: 'nobody.responds', payload: undefined }),
    'requests with long answers': (id) => ({ kind: 'request', id, type: 'quick', payload: undefined }),
  }

  for (const [what, messageOf] of Object.entries(ANSWERED)) {
    it(`of ${what} by a peer that reads nothing ends with an overflow in bounded memory`, async () => {
      const { host, witness } = await begin({ limits: { outboxBytes: 2 * MEBIBYTE, outboxTotalBytes: 4 * MEBIBYTE } })
      const codes: string[] = []
      host.on('lost', (_, { cause }) => codes.push(cause.code))
      host.respond('quick', () => 'x'.repeat(8000))
      const peer = await dial(host).introduce(host)
      peer.pause()
      const flood = fill(messageOf)
      const before = process.memoryUsage.rss()
      const hasEnded = () => codes.length > 0
      for (let round = 0; round < 100 && !hasEnded(); round++) {
        await Promise.race([peer.sendAll(flood), until(hasEnded)])
      }
      expect(codes).to.deep.equal(['LAHJA_OUTBOX_OVERFLOW'])
      expect(process.memoryUsage.rss() - before).to.be.below(400 * MEBIBYTE)
      await checkOthers(host, witness)
    })
  }

  it('of queue memberships does not block the event loop', async () => {
    const { host, witness } = await begin()
    const peer = await dial(host).introduce(host)
    const entries = Array.from({ length: 50_000 }, () => ({ type: 'x', queue: 'q' }))
    const longest = await longestTurn(async () => {
      peer.sayBytes(packedFrame([2, 1, entries]))
      await until(() => peer.heard.some(({ kind }) => kind === 'acknowledge'))
      peer.sayBytes(packedFrame([3, 2, entries]))
      await until(() => peer.heard.filter(({ kind }) => kind === 'acknowledge').length === 2)
    })
    expect(longest).to.be.below(HANG)
    expect(host.isEndpointSubscribedTo('raw', 'x')).to.equal(false)
    await checkOthers(host, witness)
  })

  it('of empty events, empty values or nonsense does not block the event loop', async () => {
    const { host, witness } = await begin()
    host.subscribe('x', () => {})
    const floods = [
      fill(() => ({ kind: 'event', type: 'x', payload: undefined })),
      fill(() => ({ kind: 'event', type: 'nobody', payload: undefined })),
      frameAround(Buffer.concat([Buffer.from('9305a178dd000f0000', 'hex'), Buffer.alloc(0xf0000, 0x80)])),
      frameAround(Buffer.concat([Buffer.from('9305a178dd000f0000', 'hex'), Buffer.alloc(0xf0000, 0xc1)])),
      frameAround(Buffer.concat([Buffer.from('9305a17891dc', 'hex'), Buffer.alloc(0xf0000, 0xdc)])),
      frameAround(Buffer.concat([Buffer.from('9305a178da', 'hex'), Buffer.alloc(0xf0000, 0xff)])),
      frameAround(Buffer.alloc(MEBIBYTE, 0x93)),
    ]
    const longest = await longestTurn(async () => {
      for (const flood of floods) {
        const peer = await dial(host).introduce(host)
        await peer.sendAll(flood)
        peer.end()
        await peer.closed()
        await until(() => !host.isConnectedTo('raw'))
      }
    })
    expect(longest).to.be.below(HANG)
    await checkOthers(host, witness)
  })

  it('of 500 silent connections keeps neither peers nor newcomers out', async () => {
    const { host, witness } = await begin()
    const idle = Array.from({ length: 500 }, () => dial(host))
    await until(() => idle.filter(({ isClosed }) => isClosed).length >= 500 - 64)
    expect(idle.filter(({ isClosed }) => isClosed).every(({ goodbye }) => goodbye === 'too-many-handshakes')).to.equal(
      true,
    )
    const newcomer = await bus.start('newcomer')
    expect(newcomer.isConnectedTo('host')).to.equal(true)
    expect(idle.filter(({ isClosed }) => !isClosed).length).to.be.at.most(64)
    await checkOthers(host, witness)
  })

  it('of short-lived connections leaves nothing behind', async () => {
    const { host, witness } = await begin()
    const before = process.getActiveResourcesInfo().length
    for (let round = 0; round < 10; round++) {
      const many = Array.from({ length: 50 }, () => dial(host))
      for (const [index, peer] of many.entries()) {
        if (index % 3 === 0) peer.sayBytes(Buffer.from('0000', 'hex'))
        if (index % 3 === 1) peer.say(HELLO)
        peer.end()
      }
      await until(() => many.every(({ isClosed }) => isClosed))
    }
    await until(() => process.getActiveResourcesInfo().length <= before)
    await checkOthers(host, witness)
  })

  it('of single bytes is read like larger chunks', async () => {
    const { host, witness } = await begin()
    const received: unknown[] = []
    host.subscribe('x', ({ payload }) => received.push(payload))
    const peer = dial(host)
    const drip = async (bytes: Buffer) => {
      for (const byte of bytes) await peer.sendAll(Buffer.of(byte))
    }
    await drip(encoded(HELLO))
    await drip(encoded({ kind: 'ready' }))
    await drip(encoded({ kind: 'event', type: 'x', payload: 'slow' }))
    await until(() => received.length === 1)
    await drip(encoded({ kind: 'event', type: 'x', payload: 'half' }).subarray(0, -1))
    peer.destroy()
    await until(() => notices.length > 0)
    expect(notices).to.deep.equal(['lost raw: LAHJA_CONNECTION_FAILED'])
    expect(received).to.deep.equal(['slow'])
    await checkOthers(host, witness)
  })

  it('of half frames uses no more memory than the bytes received', async () => {
    const { host, witness } = await begin({ limits: LARGE_FRAMES })
    const announced: RawPeer[] = []
    const before = process.memoryUsage.rss()
    for (let index = 0; index < 32; index++) {
      const peer = dial(host)
      announced.push(peer)
      peer.say({ ...HELLO, name: `raw-${index}`, id: index.toString(36).padStart(13, '0') }, { kind: 'ready' })
      await host.waitUntilConnectedTo(`raw-${index}`)
      await peer.sendAll(Buffer.from('03ffffff9305a178c603fffff0', 'hex'))
    }
    await checkOthers(host, witness)
    expect(process.memoryUsage.rss() - before).to.be.below(200 * MEBIBYTE)
    for (const peer of announced) peer.destroy()
    await until(() => notices.length === announced.length)
    expect(new Set(notices.map((notice) => notice.split(': ')[1]))).to.deep.equal(new Set(['LAHJA_CONNECTION_FAILED']))
  })

  it('of large frames with bytes after the payload is refused without copying them', async () => {
    const { host, witness } = await begin({ limits: LARGE_FRAMES })
    const peer = await dial(host).introduce(host)
    const bytes = 48 * MEBIBYTE
    const head = Buffer.from('9305a17891c600000000', 'hex')
    head.writeUInt32BE(bytes, 6)
    const body = Buffer.concat([head, Buffer.alloc(bytes), Buffer.of(0)])
    const longest = await longestTurn(async () => {
      await peer.sendAll(frameAround(body))
      await peer.closed()
    })
    expect(errors.map((error) => Reflect.get(error, 'reason'))).to.deep.equal(['malformed'])
    expect(longest).to.be.below(HANG)
    await checkOthers(host, witness)
  })

  it('of large bin values instead of maps is refused without reading each byte', async () => {
    const { host, witness } = await begin({ limits: LARGE_FRAMES })
    const peer = await dial(host).introduce(host)
    const bytes = 32 * MEBIBYTE
    const head = Buffer.from('93020191c600000000', 'hex')
    head.writeUInt32BE(bytes, 5)
    await peer.sendAll(frameAround(Buffer.concat([head, Buffer.alloc(bytes)])))
    await peer.closed()
    expect(peer.goodbye).to.equal('malformed')
    await checkOthers(host, witness)
  })

  it('of random bytes, before or after a handshake, ends with a known reason', async () => {
    const { host, witness } = await begin()
    host.subscribe('>', () => {})
    for (let round = 0; round < 100; round++) {
      const peer = dial(host)
      if (round % 2 === 0) await peer.introduce(host)
      const bytes = Buffer.from(
        Array.from({ length: 1 + (round % 50) }, (_, index) => (round * 131 + index * 197) % 256),
      )
      peer.sayBytes(round % 4 < 2 ? bytes : frameAround(bytes))
      peer.end()
      await peer.closed()
      await until(() => !host.isConnectedTo('raw'))
    }
    const known = ['malformed', 'frame-too-large', 'frame-empty', 'unexpected-message']
    for (const error of errors) expect(known).to.include(Reflect.get(error, 'reason'))
    await checkOthers(host, witness)
  })
})
