import { expect } from 'chai'
import { encodeMessage } from '../../src/wire/codec'
import type { Message } from '../../src/wire/message'
import { until } from '../support/bus'
import { type Assailant, elements, framed, HELLO } from './assailant'
import { siege } from './siege'

const MEBIBYTE = 2 ** 20

const LARGE_FRAMES = { frameBytes: 64 * MEBIBYTE, outboxBytes: 65 * MEBIBYTE }

/** Longer than any turn of the event loop may take, on a machine that has much else to do. */
const HANG = 5000

/** So many messages that they fill about a mebibyte. */
function fill(messageOf: (index: number) => Message): Buffer {
  const count = Math.ceil(MEBIBYTE / encodeMessage(messageOf(0)).bytes.length)
  return Buffer.concat(Array.from({ length: count }, (_, index) => encodeMessage(messageOf(index)).bytes))
}

describe('a flood', () => {
  const { begin, assail, checkOthers, errors, notices, bus } = siege()

  /** The longest time that the event loop took for a turn while this went on. */
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

  /** What a peer may ask for as long as it is kept, and what costs the host an answer each time. */
  const ANSWERED: Readonly<Record<string, (index: number) => Message>> = {
    pings: () => ({ kind: 'ping' }),
    'changes of interest': () => ({ kind: 'subscribe', sequence: 1, interests: [] }),
    'requests that nobody answers': (id) => ({ kind: 'request', id, type: 'nobody.responds', payload: undefined }),
    'requests with long answers': (id) => ({ kind: 'request', id, type: 'quick', payload: undefined }),
  }

  for (const [what, messageOf] of Object.entries(ANSWERED)) {
    it(`of ${what}, from one that reads nothing, ends with an overflow, before it has used up much memory`, async () => {
      const { host, witness } = await begin({ limits: { outboxBytes: 2 * MEBIBYTE, outboxTotalBytes: 4 * MEBIBYTE } })
      const codes: string[] = []
      host.on('lost', (_, { cause }) => codes.push(cause.code))
      host.respond('quick', () => 'x'.repeat(8000))
      const assailant = await assail(host).introduce(host)
      assailant.pause()
      const flood = fill(messageOf)
      const before = process.memoryUsage.rss()
      const hasEnded = () => codes.length > 0
      for (let round = 0; round < 100 && !hasEnded(); round++) {
        await Promise.race([assailant.sendAll(flood), until(hasEnded)])
      }
      expect(codes).to.deep.equal(['LAHJA_OUTBOX_OVERFLOW'])
      expect(process.memoryUsage.rss() - before).to.be.below(400 * MEBIBYTE)
      await checkOthers(host, witness)
    })
  }

  it('of members of a queue, told at once, holds nobody up', async () => {
    const { host, witness } = await begin()
    const assailant = await assail(host).introduce(host)
    const entries = Array.from({ length: 50_000 }, () => ({ type: 'x', queue: 'q' }))
    const longest = await longestTurn(async () => {
      assailant.send(elements(2, 1, entries))
      await until(() => assailant.heard.some(({ kind }) => kind === 'acknowledge'))
      assailant.send(elements(3, 2, entries))
      await until(() => assailant.heard.filter(({ kind }) => kind === 'acknowledge').length === 2)
    })
    expect(longest).to.be.below(HANG)
    expect(host.isEndpointSubscribedTo('assailant', 'x')).to.equal(false)
    await checkOthers(host, witness)
  })

  it('of empty events, of empty frames or of nonsense holds nobody up', async () => {
    const { host, witness } = await begin()
    host.subscribe('x', () => {})
    const floods = [
      fill(() => ({ kind: 'event', type: 'x', payload: undefined })),
      fill(() => ({ kind: 'event', type: 'nobody', payload: undefined })),
      framed(Buffer.concat([Buffer.from('9305a178dd000f0000', 'hex'), Buffer.alloc(0xf0000, 0x80)])),
      framed(Buffer.concat([Buffer.from('9305a178dd000f0000', 'hex'), Buffer.alloc(0xf0000, 0xc1)])),
      framed(Buffer.concat([Buffer.from('9305a17891dc', 'hex'), Buffer.alloc(0xf0000, 0xdc)])),
      framed(Buffer.concat([Buffer.from('9305a178da', 'hex'), Buffer.alloc(0xf0000, 0xff)])),
      framed(Buffer.alloc(MEBIBYTE, 0x93)),
    ]
    const longest = await longestTurn(async () => {
      for (const flood of floods) {
        const assailant = await assail(host).introduce(host)
        await assailant.sendAll(flood)
        assailant.end()
        await assailant.closed()
        await until(() => !host.isConnectedTo('assailant'))
      }
    })
    expect(longest).to.be.below(HANG)
    await checkOthers(host, witness)
  })

  it('of 500 connections that say nothing keeps neither peers nor newcomers out', async () => {
    const { host, witness } = await begin()
    const idle = Array.from({ length: 500 }, () => assail(host))
    await until(() => idle.filter(({ isClosed }) => isClosed).length >= 500 - 64)
    expect(idle.filter(({ isClosed }) => isClosed).every(({ goodbye }) => goodbye === 'too-many-handshakes')).to.equal(
      true,
    )
    const newcomer = await bus.start('newcomer')
    expect(newcomer.isConnectedTo('host')).to.equal(true)
    expect(idle.filter(({ isClosed }) => !isClosed).length).to.be.at.most(64)
    await checkOthers(host, witness)
  })

  it('of connections that come and go at once leaves nothing behind', async () => {
    const { host, witness } = await begin()
    const before = process.getActiveResourcesInfo().length
    for (let round = 0; round < 10; round++) {
      const many = Array.from({ length: 50 }, () => assail(host))
      for (const [index, assailant] of many.entries()) {
        if (index % 3 === 0) assailant.send(Buffer.from('0000', 'hex'))
        if (index % 3 === 1) assailant.say(HELLO)
        assailant.end()
      }
      await until(() => many.every(({ isClosed }) => isClosed))
    }
    await until(() => process.getActiveResourcesInfo().length <= before)
    await checkOthers(host, witness)
  })

  it('byte by byte is read like any other: a handshake, an event, and what is wrong', async () => {
    const { host, witness } = await begin()
    const received: unknown[] = []
    host.subscribe('x', ({ payload }) => received.push(payload))
    const assailant = assail(host)
    const drip = async (bytes: Buffer) => {
      for (const byte of bytes) await assailant.sendAll(Buffer.of(byte))
    }
    await drip(encodeMessage(HELLO).bytes)
    await drip(encodeMessage({ kind: 'ready' }).bytes)
    await drip(encodeMessage({ kind: 'event', type: 'x', payload: 'slow' }).bytes)
    await until(() => received.length === 1)
    await drip(encodeMessage({ kind: 'event', type: 'x', payload: 'half' }).bytes.subarray(0, -1))
    assailant.destroy()
    await until(() => notices.length > 0)
    expect(notices).to.deep.equal(['lost assailant: frame-cut-off'])
    expect(received).to.deep.equal(['slow'])
    await checkOthers(host, witness)
  })

  it('of half frames costs no more memory than has arrived', async () => {
    const { host, witness } = await begin({ limits: LARGE_FRAMES })
    const announced: Assailant[] = []
    const before = process.memoryUsage.rss()
    for (let index = 0; index < 32; index++) {
      const assailant = assail(host)
      announced.push(assailant)
      assailant.say(
        { ...HELLO, name: `assailant-${index}`, id: index.toString(36).padStart(13, '0') },
        { kind: 'ready' },
      )
      await host.waitUntilConnectedTo(`assailant-${index}`)
      await assailant.sendAll(Buffer.from('03ffffff9305a178c603fffff0', 'hex'))
    }
    await checkOthers(host, witness)
    expect(process.memoryUsage.rss() - before).to.be.below(200 * MEBIBYTE)
    for (const assailant of announced) assailant.destroy()
    await until(() => notices.length === announced.length)
    expect(new Set(notices.map((notice) => notice.split(': ')[1]))).to.deep.equal(new Set(['frame-cut-off']))
  })

  it('of large frames with something behind their payload is refused without writing them down', async () => {
    const { host, witness } = await begin({ limits: LARGE_FRAMES })
    const assailant = await assail(host).introduce(host)
    const bytes = 48 * MEBIBYTE
    const head = Buffer.from('9305a17891c600000000', 'hex')
    head.writeUInt32BE(bytes, 6)
    const body = Buffer.concat([head, Buffer.alloc(bytes), Buffer.of(0)])
    const longest = await longestTurn(async () => {
      await assailant.sendAll(framed(body))
      await assailant.closed()
    })
    expect(errors.map((error) => Reflect.get(error, 'reason'))).to.deep.equal(['malformed'])
    expect(longest).to.be.below(HANG)
    await checkOthers(host, witness)
  })

  it('of bytes in the place of a map is refused byte by byte in no frame, however large', async () => {
    const { host, witness } = await begin({ limits: LARGE_FRAMES })
    const assailant = await assail(host).introduce(host)
    const bytes = 32 * MEBIBYTE
    const head = Buffer.from('93020191c600000000', 'hex')
    head.writeUInt32BE(bytes, 5)
    await assailant.sendAll(framed(Buffer.concat([head, Buffer.alloc(bytes)])))
    await assailant.closed()
    expect(assailant.goodbye).to.equal('malformed')
    await checkOthers(host, witness)
  })

  it('of random bytes, before a handshake and after one, ends with a name or waits for more', async () => {
    const { host, witness } = await begin()
    host.subscribe('>', () => {})
    for (let round = 0; round < 100; round++) {
      const assailant = assail(host)
      if (round % 2 === 0) await assailant.introduce(host)
      const bytes = Buffer.from(
        Array.from({ length: 1 + (round % 50) }, (_, index) => (round * 131 + index * 197) % 256),
      )
      assailant.send(round % 4 < 2 ? bytes : framed(bytes))
      assailant.end()
      await assailant.closed()
      await until(() => !host.isConnectedTo('assailant'))
    }
    const known = ['malformed', 'frame-too-large', 'frame-empty', 'frame-cut-off', 'unexpected-message']
    for (const error of errors) expect(known).to.include(Reflect.get(error, 'reason'))
    await checkOthers(host, witness)
  })
})
