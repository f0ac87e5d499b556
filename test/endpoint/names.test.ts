import { readdirSync } from 'node:fs'
import { expect } from 'chai'
import { AbortError, WaitTimeout } from '../../src'
import { systemClock } from '../../src/platform/clock'
import { freshBus, until } from '../support/bus'
import { helloFields, rawPeers } from '../support/raw-peer'
import { rejection } from '../support/rejection'
import { leaveStaleSocket } from '../support/stale-socket'
import { turn } from '../support/workbench'

describe('Endpoint.start with waitForName', () => {
  const bus = freshBus()
  const raw = rawPeers()

  it('G10: waits for a name whose holder closes', async () => {
    const [holder, witness] = [await bus.start('shop'), await bus.start('witness')]
    const seen: string[] = []
    witness.on('left', ({ id }) => seen.push(`left ${id}`))
    witness.on('joined', ({ id }) => seen.push(`joined ${id}`))
    const starting = bus.start('shop', { waitForName: 60_000 })
    await holder.close()
    const successor = await starting
    await until(() => seen.length === 2)
    expect(seen).to.deep.equal([`left ${holder.id}`, `joined ${successor.id}`])
  })

  it('G10: waits for a name whose holder is draining', async () => {
    const holder = await bus.start('shop')
    let release = () => {}
    holder.subscribe('job', () => new Promise<void>((resolve) => (release = resolve)))
    await holder.broadcast('job')
    const closing = holder.close()
    let hasStarted = false
    const starting = bus.start('shop', { waitForName: 60_000 }).then(() => {
      hasStarted = true
    })
    expect(await rejection(bus.start('shop'))).to.include({ code: 'LAHJA_NAME_IN_USE' })
    expect(hasStarted).to.equal(false)
    release()
    await Promise.all([closing, starting])
  })

  it('G10: waits without a watch for a holder that dies without removing its file', async () => {
    const id = '0000000000000'
    const target = { directory: bus.directory, name: 'shop', id }
    const holder = await raw.listenAndAnswer(target, (challenger) => {
      challenger.say({ kind: 'goodbye', reason: 'name-in-use', text: 'shop is the name of a raw peer' })
    })
    const starting = bus.start('shop', { waitForName: 60_000, watch: false, limits: { rescanInterval: 20 } })
    await until(() => holder.peers.length > 1)
    holder.close()
    leaveStaleSocket(holder.path)
    expect((await starting).name).to.equal('shop')
  })

  it('G10: gives a name to one of several that wait, and to the others one after the other', async () => {
    const holder = await bus.start('shop')
    const ids: string[] = []
    const waiting = Promise.all(
      Array.from({ length: 5 }, async () => {
        const successor = await bus.start('shop', { waitForName: 60_000, limits: { rescanInterval: 100 } })
        ids.push(successor.id)
        const others = ids.length
        await new Promise<void>((resolve) => setImmediate(resolve))
        expect(ids).to.have.length(others)
        await successor.close()
      }),
    )
    await holder.close()
    await waiting
    expect(new Set(ids).size).to.equal(5)
  })

  it('rejects with NameInUse when the time is over', async () => {
    const holder = await bus.start('shop')
    const error = await rejection(bus.start('shop', { waitForName: 20 }))
    expect(error).to.include({ code: 'LAHJA_NAME_IN_USE', holder: holder.id })
  })

  it('names the process that has the name, and says what to do', async () => {
    const holder = await bus.start('shop')
    const { message } = await rejection(bus.start('shop'))
    expect(message).to.equal(
      `the name 'shop' is in use in ${bus.directory}: shop is the name of ${holder.id} in process ${process.pid}; ` +
        'close that endpoint, wait for its end with the option waitForName, or choose another name',
    )
  })

  it('says that a holder does not answer', async () => {
    const { id, name } = helloFields({ name: 'shop', id: '0000000000000' })
    await raw.listen({ directory: bus.directory, name, id }, () => {})
    const { message } = await rejection(bus.start('shop', { limits: { handshakeTimeout: 20 } }))
    expect(message).to.contain('shop~0000000000000 does not answer')
  })
})

describe('Endpoint.start with a prefix as a name', () => {
  const bus = freshBus()

  it('gives each endpoint a name of its own, made of the end of its id', async () => {
    const workers = await Promise.all(Array.from({ length: 10 }, () => bus.start('', { name: { prefix: 'worker' } })))
    expect(new Set(workers.map(({ name }) => name)).size).to.equal(10)
    for (const { name, id } of workers) expect(name).to.equal(`worker-${id.slice(-6)}`)
  })

  it('chooses again if the name is taken', async () => {
    const ids = ['0000000worker', '0000001worker', '0000000walker']
    const clock = { ...systemClock, incarnationId: () => ids.shift() ?? '' }
    const names = []
    for (let count = 0; count < 2; count++) {
      names.push((await bus.startBy(clock, '', { name: { prefix: 'a' } })).name)
    }
    expect(names).to.deep.equal(['a-worker', 'a-walker'])
  })

  for (const name of [{ prefix: '-' }, { prefix: 'x'.repeat(58) }, { prefix: 1 }, {}, { prefix: 'a', suffix: 'b' }]) {
    it(`is refused if it is ${JSON.stringify(name)}`, async () => {
      const error = await rejection(() => Reflect.apply(bus.start, bus, ['', { name }]))
      expect(error).to.include({ code: 'LAHJA_INVALID_ARGUMENT' })
      expect(error.message).to.match(/^name/)
    })
  }

  it('ends at its timeout or signal, and leaves nothing behind', async () => {
    const holder = await bus.start('shop')
    const files = readdirSync(bus.directory)
    const aborting = new AbortController()
    const aborted = rejection(bus.start('shop', { waitForName: 60_000, signal: aborting.signal }))
    const late = rejection(bus.start('shop', { waitForName: 60_000, timeout: 20 }))
    expect(await late)
      .to.be.instanceOf(WaitTimeout)
      .and.have.property('message', 'the start of shop: timed out after 20 ms')
    aborting.abort(new Error('changed my mind'))
    expect(await aborted)
      .to.be.instanceOf(AbortError)
      .and.have.nested.property('cause.message', 'changed my mind')
    const signal = AbortSignal.abort()
    expect(await rejection(bus.start('other', { signal }))).to.be.instanceOf(AbortError)
    for (let turns = 0; turns < 20; turns++) {
      const soon = new AbortController()
      const start = bus.start('brief', { signal: soon.signal }).then(
        (endpoint) => endpoint.close(),
        () => {},
      )
      for (let passed = 0; passed < turns; passed++) await turn()
      soon.abort()
      await start
    }
    await until(() => readdirSync(bus.directory).length === files.length)
    expect(readdirSync(bus.directory)).to.deep.equal(files)
    expect(holder.peers).to.deep.equal([])
  })

  for (const waitForName of [-1, Number.NaN, '5', 2 ** 31]) {
    it(`refuses to wait ${String(waitForName)} ms for a name`, async () => {
      const error = await rejection(() => Reflect.apply(bus.start, bus, ['a', { waitForName }]))
      expect(error.message).to.match(/^waitForName: expected milliseconds/)
    })
  }
})
