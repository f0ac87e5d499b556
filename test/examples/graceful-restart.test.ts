import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { programs } from '../support/program'
import { temporaryDirectory } from '../support/temporary-directory'

const CLIENT = 'examples/graceful-restart/client.ts'
const SERVICE = 'examples/graceful-restart/service.ts'
const SUPERVISOR = 'examples/graceful-restart/supervisor.ts'

describe('examples/graceful-restart', () => {
  const start = programs()
  const temporary = temporaryDirectory()
  const bus = () => join(temporary.path, 'bus')
  const run = (script: string, ...args: string[]) => start(script, args, { env: { LAHJA_DIRECTORY: bus() } })

  /** What those who match have closed with: what was answered, and what was booked. */
  function closingsIn(stdout: string, name: RegExp): { answered: number; booked: number }[] {
    return [...stdout.matchAll(/^(\S+) has closed: (\d+) answered, (\d+) booked$/gm)]
      .filter(([, who = '']) => name.test(who))
      .map(([, , answered, booked]) => ({ answered: Number(answered), booked: Number(booked) }))
  }

  /** Everything the client wanted was done, once, by one of the service, and all of them have had a part in it. */
  function expectNothingLost(stdout: string, generations: number): void {
    const services = closingsIn(stdout, /^service-\d+$/)
    expect(services).to.have.lengthOf(generations)
    for (const { answered, booked } of services) {
      expect(answered).to.be.greaterThan(0)
      expect(booked).to.be.greaterThan(0)
    }
    const sum = (of: 'answered' | 'booked') => services.reduce((total, service) => total + service[of], 0)
    const [client] = closingsIn(stdout, /^client$/)
    expect(client).to.deep.equal({ answered: sum('answered'), booked: sum('booked') })
    expect(client?.answered).to.equal(client?.booked)
  }

  it('replaces the service twice, with each request answered and each event handled once', async () => {
    const { code, stdout, stderr } = await run(SUPERVISOR).ended
    expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' })
    expectNothingLost(stdout, 3)
    expect(readdirSync(join(bus(), 'graceful-restart'))).to.deep.equal([])
  })

  it('does the same in separate terminals, with the service started first', async () => {
    const old = run(SERVICE)
    await old.untilPrinted('service-1 is ready')
    const client = run(CLIENT)
    await client.untilPrinted('client is served by service-1')
    const young = run(SERVICE, '2')
    await young.untilPrinted('service-2 is ready')
    old.signal('SIGTERM')
    const before = await old.ended
    await client.untilPrinted('client is served by service-2')
    client.signal('SIGINT')
    const customers = await client.ended
    young.signal('SIGINT')
    const outcomes = [before, customers, await young.ended]
    for (const { code, stderr } of outcomes) expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' })
    expectNothingLost(outcomes.map(({ stdout }) => stdout).join(''), 2)
  })
})
