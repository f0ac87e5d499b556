import { expect } from 'chai'
import type { Endpoint } from '../../src'
import { useBus } from './bus'
import { numberOf } from './endpoint-history'
import type { RemoteEndpoint } from './remote-endpoint'
import { until } from './until'

const RESTARTS = 200

describe('an endpoint restarted 200 times under one name', () => {
  const bus = useBus()

  it('G3, G6, G10, G12: delivers its event once each time, in two processes, with overlapping closes and starts', async () => {
    const observers = [new Observer(await bus.join('one')), new Observer(await bus.join('two'))]
    for (const observer of observers) await observer.ready
    const processes = await bus.processes.participants(2)
    let current: RemoteEndpoint | undefined
    for (let round = 0; round < RESTARTS; round++) {
      const before = current
      // The processes alternate; in every second pair of rounds the previous endpoint is still closing.
      const process = processes[round % 2 === 0 ? 0 : 1]
      if (!process) throw new TypeError('expected two processes')
      const closing = before?.broadcast('tick', 1, round - 1).then(() => before.close())
      if (round % 4 < 2) await closing
      else await until(async () => !(await bus.published()).includes('same'))
      current = await bus.startIn(process, 'same')
      await closing
      expect(await bus.published(), `round ${round}`).to.deep.equal(['one', 'same', 'two'])
    }
    await current?.broadcast('tick', 1, RESTARTS - 1)
    await current?.close()

    for (const { numbers, joined, left, others } of observers) {
      await until(() => left.length === RESTARTS)
      expect(numbers).to.deep.equal(Array.from({ length: RESTARTS }, (_, number) => number))
      expect(new Set(joined).size).to.equal(RESTARTS)
      expect(left).to.have.members(joined)
      expect(others).to.deep.equal([])
    }
    expect(await bus.published()).to.deep.equal(['one', 'two'])
  })

  it('G3, G10: takes over its name from an endpoint that is closing in the same process', async () => {
    const observer = new Observer(await bus.join('one'))
    await observer.ready
    const process = await bus.processes.participant()
    let current = await bus.startIn(process, 'same')
    for (let round = 0; round < RESTARTS; round++) {
      const closing = Promise.all([current.broadcastNowait('tick'), current.close()])
      const next = bus.startIn(process, 'same')
      await closing
      current = await next
      expect(await bus.published(), `round ${round}`).to.deep.equal(['one', 'same'])
    }
    await current.close()

    await until(() => observer.left.length === RESTARTS + 1)
    expect(observer.numbers).to.have.length(RESTARTS)
    expect(observer.others).to.deep.equal([])
    expect(await bus.published()).to.deep.equal(['one'])
  })
})

/** Records the events of each restart. */
class Observer {
  readonly ready: Promise<unknown>
  readonly numbers: number[] = []
  readonly joined: string[] = []
  readonly left: string[] = []
  /** Other notices, which should not occur. */
  readonly others: string[] = []

  constructor(endpoint: Endpoint) {
    endpoint.on('joined', ({ name, id }) => name === 'same' && this.joined.push(id))
    endpoint.on('left', ({ name, id }) => name === 'same' && this.left.push(id))
    endpoint.on('lost', ({ name }, { cause }) => this.others.push(`lost ${name}: ${cause.message}`))
    endpoint.on('error', ({ message }) => this.others.push(message))
    endpoint.on('gap', ({ count }) => this.others.push(`gap of ${count}`))
    this.ready = endpoint.subscribe('tick', ({ payload }) => void this.numbers.push(numberOf(payload))).ready
  }
}
