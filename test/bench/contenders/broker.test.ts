import { expect } from 'chai'
import { Broker } from '../../../bench/contenders/broker'

/** The reason of a rejection; undefined if it resolves. */
const failureOf = (promise: Promise<unknown>) => promise.then(() => undefined).catch((error: unknown) => error)

describe('Broker', () => {
  const started: Broker[] = []
  afterEach(() => Promise.all(started.splice(0).map((broker) => broker.stop())))

  const serve = (script: string, isReady = () => true, program = process.execPath) => {
    const broker = new Broker(program, ['--eval', script], isReady)
    started.push(broker)
    return broker
  }

  it('waits until the server is ready', async () => {
    let looks = 0
    await serve('setInterval(() => {}, 1000)', () => ++looks === 3).ready()
    expect(looks).to.equal(3)
  })

  it('stops waiting when the server exits or cannot be started', async () => {
    const text = `${process.execPath} has ended before its time`
    expect(await failureOf(serve('process.exit(1)', () => false).ready())).to.have.property('message', text)
    expect(await failureOf(serve('', () => false, '/nowhere/redis-server').ready())).to.have.property('code', 'ENOENT')
  })

  it('rejects when the server exits while it is in use', async () => {
    const broker = serve('setInterval(() => {}, 1000)')
    await broker.ready()
    process.kill(broker.pid)
    expect(await failureOf(broker.ended)).to.have.property('message', `${process.execPath} has ended before its time`)
  })

  it('stops the server even before it is ready', async () => {
    const broker = serve('setInterval(() => {}, 1000)', () => false)
    const ready = failureOf(broker.ready())
    await broker.stop()
    await ready
    expect(() => process.kill(broker.pid, 0)).to.throw('ESRCH')
  })
})
