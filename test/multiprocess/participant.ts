import { setImmediate } from 'node:timers/promises'
import { Endpoint } from '../../src'
import { untilReady } from '../support/until-ready'
import * as defining from './definition-procedures'
import { Definitions } from './definitions'
import { EndpointHistory, type Numbered, numberOf } from './endpoint-history'
import * as failing from './fault-procedures'
import * as faults from './faults'
import { flood } from './flood'
import * as procedures from './participant-procedures'
import { Pressure } from './pressure'
import * as pressing from './pressure-procedures'
import { Responder } from './responder'
import { bytesReadFromSockets, watchSockets } from './socket-bytes'
import { until } from './until'
import { WorkLog } from './work-log'
import * as working from './work-procedures'

interface Member {
  readonly endpoint: Endpoint
  readonly history: EndpointHistory
  readonly pressure: Pressure
}

const members = new Map<string, Member>()
const definitions = new Definitions()
const hoard = new faults.Hoard()
const socketFailures = faults.collectSocketFailures()

function member(name: string): Member {
  const known = members.get(name)
  if (known) return known
  throw new TypeError(`expected an endpoint that has been started, got ${name}`)
}

function* payloads({ count, first = 0, filler }: procedures.Burst): Generator<Numbered> {
  for (let number = first; number < first + count; number++) {
    yield filler === undefined ? { number } : { number, filler: Buffer.alloc(filler, number) }
  }
}

let isReleased = false
process.once('disconnect', () => {
  // A parent that dies takes its participants with it.
  if (!isReleased) process.exit(1)
})

watchSockets()

new Responder()
  .on(procedures.start, async (options) => {
    const endpoint = await Endpoint.start(options)
    const history = new EndpointHistory(endpoint)
    endpoint.on('lost', () => hoard.refill())
    members.set(endpoint.name, { endpoint, history, pressure: new Pressure(endpoint, history) })
  })
  .on(defining.defineEvent, (definition) => definitions.defineEvent(definition))
  .on(defining.defineRequest, (definition) => definitions.defineRequest(definition))
  .on(procedures.subscribe, ([name, order]) => member(name).history.subscribe(definitions.event(order.type), order))
  .on(procedures.unsubscribe, ([name, type]) => member(name).history.unsubscribe(type))
  .on(procedures.broadcast, async ([name, burst]) => {
    const { endpoint } = member(name)
    const type = definitions.event(burst.type)
    let handed = 0
    for (const payload of payloads(burst)) handed = await endpoint.broadcast(type, payload, burst.options)
    return handed
  })
  .on(procedures.broadcastNowait, ([name, burst]) => {
    const { endpoint } = member(name)
    const type = definitions.event(burst.type)
    for (const payload of payloads(burst)) endpoint.broadcastNowait(type, payload, burst.options)
  })
  .on(procedures.logUnfinished, ([name, logs]) => {
    const log = new WorkLog(logs)
    member(name).endpoint.on('unfinished', ({ event }) => log.write('reported', numberOf(event.payload)))
  })
  .on(procedures.received, ([name, type]) => member(name).history.received(type))
  .on(procedures.untilReceived, ([name, { type, count }]) => {
    const { history } = member(name)
    return history.until(() => history.received(type).length >= count)
  })
  .on(working.respond, async ([name, { type, manner = 'at-once', logs, throws }]) => {
    const { endpoint, history } = member(name)
    const work = history.begin(type, manner, logs)
    const responder = endpoint.respond(definitions.request(type), async ({ payload, signal }) => {
      const number = numberOf(payload)
      signal.addEventListener('abort', () => work.abort(number))
      await work.do(number)
      if (throws) throw Object.assign(new RangeError(`expected less than ${number}`), { code: 'TOO_MUCH' })
      return { number, pid: process.pid }
    })
    await untilReady(responder)
  })
  .on(working.ask, ([name, { type, number }]) => {
    member(name)
      .endpoint.request(definitions.request(type), { number })
      .catch(() => {})
  })
  .on(working.work, ([name, type]) => member(name).history.work(type))
  .on(working.untilWork, ([name, { type, begun = 0, ended = 0, aborted = 0 }]) => {
    const { history } = member(name)
    const work = history.work(type)
    return history.until(() => {
      return work.begun.length >= begun && work.ended.length >= ended && work.aborted.length >= aborted
    })
  })
  .on(working.untilEnded, ([name, { type, numbers }]) => {
    const { history } = member(name)
    const { ended } = history.work(type)
    return history.until(() => numbers.every((number) => ended.includes(number)))
  })
  .on(working.finishOldest, ([name, type]) => member(name).history.work(type).finish('oldest'))
  .on(working.finishAll, ([name, type]) => member(name).history.work(type).finish('all'))
  .on(pressing.read, ([name, reading]) => member(name).pressure.read(definitions.event(reading.type), reading))
  .on(pressing.untilRead, ([name, { type, number }]) => member(name).pressure.untilRead(type, number))
  .on(pressing.tally, ([name, type]) => member(name).pressure.tally(type).report)
  .on(pressing.flood, ([name, order]) => flood(member(name).endpoint, definitions.event(order.type), order))
  .on(pressing.standings, ([name]) => member(name).pressure.standings)
  .on(pressing.closeWithin, ([name, timeout]) => member(name).pressure.closeWithin(timeout))
  .on(procedures.notices, ([name]) => member(name).history.notices)
  .on(procedures.untilNotice, ([name, { kind, peer }]) => {
    const { history } = member(name)
    return history.until(() => history.notices.some((notice) => notice.kind === kind && notice.peer === peer))
  })
  .on(procedures.peers, ([name]) =>
    member(name).endpoint.peers.map(({ name, id, subscriptions }) => ({ name, id, subscriptions })),
  )
  .on(procedures.untilPeers, ([name, count]) => {
    const { endpoint, history } = member(name)
    return history.until(() => endpoint.peers.length === count)
  })
  .on(procedures.isConnectedTo, ([name, peer]) => member(name).endpoint.isConnectedTo(peer))
  .on(procedures.waitUntilConnectedTo, ([name, peer]) => member(name).endpoint.waitUntilConnectedTo(peer))
  .on(procedures.untilUnsubscribed, ([name, type]) => {
    const { endpoint } = member(name)
    return until(() => endpoint.peers.every(({ subscriptions }) => !subscriptions.includes(type)))
  })
  .on(procedures.close, ([name]) => member(name).endpoint.close())
  .on(procedures.closeOn, async ([name, type]) => {
    const { endpoint } = member(name)
    await endpoint.subscribe(type, () => endpoint.close()).ready
  })
  .on(procedures.bytesRead, bytesReadFromSockets)
  .on(procedures.echo, () => setImmediate())
  .on(failing.blockUntil, faults.blockUntil)
  .on(failing.shiftDate, faults.shiftDate)
  .on(failing.broadcastAndExit, ([name, { type, filler }]) => {
    member(name).endpoint.broadcastNowait(type, { number: 0, filler: Buffer.alloc(filler) })
    process.exit(7)
  })
  .on(failing.hoardDescriptors, () => hoard.fill())
  .on(failing.releaseDescriptors, () => hoard.release())
  .on(failing.socketFailures, () => [...socketFailures])
  .on(failing.watchFailure, faults.watchFailure)
  .on(failing.consumption, faults.consumption)
  .on(failing.turnOver, faults.turnOver)
  .on(procedures.release, () => {
    isReleased = true
  })
  .listen()
