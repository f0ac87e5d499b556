import { expect } from 'chai'
import { useBus } from './bus'
import type { RemoteEndpoint } from './remote-endpoint'

const PROCESSES = 8
const ENDPOINTS_EACH = 5
const ENDPOINTS = PROCESSES * ENDPOINTS_EACH

/** Longer than the tests, so that no endpoint rescans. */
const RESCAN = 600_000

describe('forty endpoints in eight processes that start at once', () => {
  const bus = useBus('shared')
  let endpoints: RemoteEndpoint[] = []

  before(async () => {
    const processes = await bus.processes.participants(PROCESSES)
    endpoints = await Promise.all(
      Array.from({ length: ENDPOINTS }, (_, index) => {
        const process = processes[index % PROCESSES]
        if (!process) throw new Error('expected a process')
        return bus.startIn(process, `endpoint-${index}`, { watch: false, limits: { rescanInterval: RESCAN } })
      }),
    )
  })

  it('G9: are all linked with each other before the first rescan, without a watch', async () => {
    await Promise.all(endpoints.map((endpoint) => endpoint.untilPeers(ENDPOINTS - 1)))

    const names = endpoints.map(({ name }) => name).sort()
    for (const endpoint of endpoints) {
      const peers = (await endpoint.peers()).map(({ name }) => name)
      expect([...peers, endpoint.name].sort()).to.deep.equal(names)
    }
  })

  it('each receive one event of every other', async () => {
    await Promise.all(endpoints.map((endpoint) => endpoint.subscribe('roll-call')))

    const handed = await Promise.all(endpoints.map((endpoint) => endpoint.broadcast('roll-call')))
    await Promise.all(endpoints.map((endpoint) => endpoint.untilReceived('roll-call', ENDPOINTS)))

    expect(handed).to.deep.equal(Array(ENDPOINTS).fill(ENDPOINTS))
    const names = endpoints.map(({ name }) => name).sort()
    for (const endpoint of endpoints) {
      const origins = (await endpoint.received('roll-call')).map(({ origin }) => origin)
      expect(origins.sort()).to.deep.equal(names)
    }
  })
})
