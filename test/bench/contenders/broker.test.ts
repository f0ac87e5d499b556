import { expect } from 'chai'
import { Broker } from '../../../bench/contenders/broker'

/** Why it rejects; undefined if it does not. */
const failureOf = (promise: Promise<unknown>) => promise.then(() => undefined).catch((error: unknown) => error)

describe('a server of the bench', () => {
  const started: Broker[] = []
  afterEach(() => Promise.all(started.splice(0).map((broker) => broker.stop())))

  const serve = (script: string, isReady = () => true, program = process.execPath) => {
    const broker = new Broker(program, ['--eval', script], isReady)
    started.push(broker)
    return broker
  }

  it('is waited for until it is ready', async () => {
    let looks = 0
    await serve('setInterval(() => {}, 1000)', () => ++looks === 3).ready()
    expect(looks).to.equal(3)
  })

  it('is not waited for when it has ended, or could not be started', async () => {
    const text = `${process.execPath} has ended before its time`
    expect(await failureOf(serve('process.exit(1)', () => false).ready())).to.have.property('message', text)
    expect(await failureOf(serve('', () => false, '/nowhere/redis-server').ready())).to.have.property('code', 'ENOENT')
  })

  it('is missed when it ends while it is used', async () => {
    const broker = serve('setInterval(() => {}, 1000)')
    await broker.ready()
    process.kill(broker.pid)
    expect(await failureOf(broker.ended)).to.have.property('message', `${process.execPath} has ended before its time`)
  })

  it('ends when it is stopped, also while it gets ready', async () => {
    const broker = serve('setInterval(() => {}, 1000)', () => false)
    const ready = failureOf(broker.ready())
    await broker.stop()
    await ready
    expect(() => process.kill(broker.pid, 0)).to.throw('ESRCH')
  })
})
