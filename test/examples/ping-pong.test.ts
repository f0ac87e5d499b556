import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { programs } from '../support/program'
import { temporaryDirectory } from '../support/temporary-directory'

const PING = 'examples/ping-pong/ping.ts'
const PONG = 'examples/ping-pong/pong.ts'

describe('examples/ping-pong', () => {
  const start = programs()
  const temporary = temporaryDirectory()
  const bus = () => join(temporary.path, 'bus')
  const play = (script: string, ...args: string[]) => start(script, args, { env: { LAHJA_DIRECTORY: bus() } })
  const played = (word: string, stdout: string) => stdout.match(new RegExp(`^${word} \\d+$`, 'gm'))

  const orders = [
    { first: PING, second: PONG, waiting: 'waiting for pong' },
    { first: PONG, second: PING, waiting: 'waiting for ping' },
  ]
  for (const { first, second, waiting } of orders) {
    it(`plays its rounds and ends when ${first} is started first`, async () => {
      const early = play(first, '--rounds', '3')
      await early.untilPrinted(waiting)
      const late = play(second, '--rounds', '3')
      const outcomes = await Promise.all([early.ended, late.ended])
      const printed = outcomes.map(({ stdout }) => stdout).join('')
      expect(played('ping', printed)).to.deep.equal(['ping 1', 'ping 2', 'ping 3'])
      expect(played('pong', printed)).to.deep.equal(['pong 1', 'pong 2', 'pong 3'])
      for (const { code, stderr } of outcomes) expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' })
      expect(readdirSync(join(bus(), 'ping-pong'))).to.deep.equal([])
    })
  }

  it('plays its rounds and ends when both are started at once', async () => {
    const outcomes = await Promise.all([PING, PONG].map((script) => play(script, '--rounds', '3').ended))
    expect(outcomes.map(({ code }) => code)).to.deep.equal([0, 0])
    expect(played('pong', outcomes[0]?.stdout ?? '')).to.deep.equal(['pong 1', 'pong 2', 'pong 3'])
  })

  it('resumes when pong leaves and comes back', async () => {
    const ping = play(PING, '--rounds', '4')
    await play(PONG, '--rounds', '2').ended
    await ping.untilPrinted('pong has left')
    const pong = await play(PONG, '--rounds', '4').ended
    expect(played('ping', pong.stdout)).to.include.members(['ping 3', 'ping 4'])
    const { code, stdout } = await ping.ended
    expect(code).to.equal(0)
    expect(played('pong', stdout)).to.deep.equal(['pong 1', 'pong 2', 'pong 3', 'pong 4'])
  })

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    it(`leaves the bus on ${signal}, one after the other`, async () => {
      const [ping, pong] = [play(PING), play(PONG)]
      await ping.untilPrinted('pong 2')
      ping.signal(signal)
      await pong.untilPrinted('ping has left')
      expect(await ping.ended).to.include({ code: 0, stderr: '' })
      pong.signal(signal)
      expect(await pong.ended).to.include({ code: 0, stderr: '' })
      expect(readdirSync(join(bus(), 'ping-pong'))).to.deep.equal([])
    })
  }

  it('rejects an invalid number of rounds', async () => {
    const { code, stderr } = await play(PING, '--rounds', 'many').ended
    expect(code).to.equal(2)
    expect(stderr).to.contain("got 'many'")
  })
})
