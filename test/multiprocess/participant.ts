import { setImmediate } from 'node:timers/promises'
import { defineEvent, Endpoint, type EventDefinition } from '../../src'
import { Journal, type Numbered } from './journal'
import * as procedures from './participant-procedures'
import { Responder } from './responder'
import { bytesReadFromSockets, watchSockets } from './socket-bytes'
import { until } from './until'

interface Member {
  readonly endpoint: Endpoint
  readonly journal: Journal
}

const members = new Map<string, Member>()

function member(name: string): Member {
  const known = members.get(name)
  if (known) return known
  throw new TypeError(`expected an endpoint that has been started, got ${name}`)
}

function numbered(type: string): EventDefinition<Numbered> {
  return defineEvent<Numbered>(type)
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
    const begin = performance.now()
    const endpoint = await Endpoint.start(options)
    const elapsed = performance.now() - begin
    members.set(endpoint.name, { endpoint, journal: new Journal(endpoint) })
    return elapsed
  })
  .on(procedures.subscribe, ([name, type]) => member(name).journal.subscribe(numbered(type)))
  .on(procedures.unsubscribe, ([name, type]) => member(name).journal.unsubscribe(type))
  .on(procedures.broadcast, async ([name, burst]) => {
    const { endpoint } = member(name)
    const type = numbered(burst.type)
    let handed = 0
    for (const payload of payloads(burst)) handed = await endpoint.broadcast(type, payload)
    return handed
  })
  .on(procedures.broadcastNowait, ([name, burst]) => {
    const { endpoint } = member(name)
    const type = numbered(burst.type)
    for (const payload of payloads(burst)) endpoint.broadcastNowait(type, payload)
  })
  .on(procedures.received, ([name, type]) => member(name).journal.received(type))
  .on(procedures.untilReceived, ([name, { type, count }]) => {
    const { journal } = member(name)
    return journal.until(() => journal.received(type).length >= count)
  })
  .on(procedures.notices, ([name]) => member(name).journal.notices)
  .on(procedures.untilNotice, ([name, { kind, peer }]) => {
    const { journal } = member(name)
    return journal.until(() => journal.notices.some((notice) => notice.kind === kind && notice.peer === peer))
  })
  .on(procedures.peers, ([name]) =>
    member(name).endpoint.peers.map(({ name, id, subscriptions }) => ({ name, id, subscriptions })),
  )
  .on(procedures.untilPeers, ([name, count]) => {
    const { endpoint, journal } = member(name)
    return journal.until(() => endpoint.peers.length === count)
  })
  .on(procedures.isConnectedTo, ([name, peer]) => member(name).endpoint.isConnectedTo(peer))
  .on(procedures.waitUntilConnectedTo, ([name, peer]) => member(name).endpoint.waitUntilConnectedTo(peer))
  .on(procedures.untilUnsubscribed, ([name, type]) => {
    const { endpoint } = member(name)
    return until(() => endpoint.peers.every(({ subscriptions }) => !subscriptions.includes(type)))
  })
  .on(procedures.close, ([name]) => member(name).endpoint.close())
  .on(procedures.closeOn, ([name, type]) => {
    const { endpoint } = member(name)
    return endpoint.subscribe(type, () => endpoint.close()).ready
  })
  .on(procedures.bytesRead, bytesReadFromSockets)
  .on(procedures.echo, () => setImmediate())
  .on(procedures.release, () => {
    isReleased = true
  })
  .listen()
