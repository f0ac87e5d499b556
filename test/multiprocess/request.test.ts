import { once } from 'node:events'
import { setImmediate } from 'node:timers/promises'
import { expect } from 'chai'
import {
  defineRequest,
  type Endpoint,
  RemoteDisconnected,
  RemoteError,
  type RequestOptions,
  RequestTimeout,
} from '../../src'
import { rejection } from '../support/rejection'
import { useBus } from './bus'
import type { Numbered } from './endpoint-history'
import type { RemoteProcess } from './remote-process'
import { type Entry, numbersOf, readWorkLogs } from './work-log'

/** Answered with the same number and the pid of its responder. */
const Ask = defineRequest<Numbered, { readonly number: number; readonly pid: number }>('ask')

/** Options of a request that only a reply or the loss of its responder can settle. */
const PATIENT = { timeout: Number.POSITIVE_INFINITY }

describe('a request to another process', () => {
  const bus = useBus()
  let asker: Endpoint

  beforeEach(async () => {
    asker = await bus.join('asker')
  })

  async function startResponder(name: string, service = {}, process?: RemoteProcess) {
    const responder = process ? await bus.startIn(process, name) : await bus.start(name)
    await responder.respond('ask', service)
    return responder
  }

  /** Sends requests; returns their rejections. */
  function ask(count: number, options: RequestOptions = PATIENT) {
    return Array.from({ length: count }, (_, number) => rejection(asker.request(Ask, { number }, options)))
  }

  it('is answered by its responder', async () => {
    const responder = await startResponder('responder')
    const [peer] = asker.peers
    expect(await asker.request(Ask, { number: 7 })).to.deep.equal({ number: 7, pid: peer?.pid })
    expect((await responder.work('ask')).ended).to.deep.equal([7])
    expect(peer?.pid).to.not.equal(process.pid)
  })

  it('rejects with the error of a handler that throws', async () => {
    const responder = await startResponder('faulty', { throws: true })
    await startResponder('sound')
    const error = await rejection(asker.request(Ask, { number: 7 }, { to: 'faulty' }))

    expect(error).to.be.instanceOf(RemoteError)
    expect(error).to.include({ code: 'LAHJA_REMOTE_ERROR', origin: 'faulty' })
    expect(Reflect.get(error, 'remote')).to.deep.include({ name: 'RangeError', message: 'expected less than 7' })
    expect(Reflect.get(error, 'remote')).to.include({ code: 'TOO_MUCH', stack: undefined })
    const reports = (await responder.notices()).filter(({ kind }) => kind === 'error')
    expect(reports).to.have.length(1)
    expect(await asker.request(Ask, { number: 8 }, { to: 'sound' })).to.include({ number: 8 })
  })

  it('G11: without timeout rejects when its responder dies', async () => {
    const responder = await startResponder('responder', { manner: 'held' })
    const outcomes = ask(100)
    await responder.untilWork('ask', { begun: 100 })

    responder.process.kill()

    for (const error of await Promise.all(outcomes)) {
      expect(error).to.be.instanceOf(RemoteDisconnected)
      expect(error.message).to.equal(
        'request ask: responder disconnected before it responded; it may or may not have handled the request',
      )
    }
    expect((await rejection(asker.request(Ask, { number: 0 }))).code).to.equal('LAHJA_NO_SUBSCRIBERS')
  })

  it('G11: waiting in line goes to another responder when the first is killed', async () => {
    await asker.close()
    asker = await bus.join('asker', { limits: { pendingRequests: 10 } })
    const heir = await startResponder('heir', { manner: 'held' })
    const victim = await startResponder('victim', { manner: 'held' })
    const taken = ask(10, { ...PATIENT, to: 'victim' })
    for (let number = 0; number < 10; number++) void asker.request(Ask, { number }, { ...PATIENT, to: 'heir' })
    const inLine = [10, 11, 12].map((number) => asker.request(Ask, { number }, PATIENT))
    for (const responder of [victim, heir]) await responder.untilWork('ask', { begun: 10 })

    victim.process.kill()
    for (const error of await Promise.all(taken)) expect(error).to.be.instanceOf(RemoteDisconnected)
    await heir.finishAll('ask')

    expect((await Promise.all(inLine)).map(({ number }) => number)).to.deep.equal([10, 11, 12])
    expect((await heir.work('ask')).begun).to.have.lengthOf(13)
  })

  it('waiting in line goes to a responder that joins', async () => {
    await asker.close()
    asker = await bus.join('asker', { limits: { pendingRequests: 1 } })
    const busy = await startResponder('busy', { manner: 'held' })
    void asker.request(Ask, { number: 0 }, PATIENT).catch(() => {})
    const inLine = asker.request(Ask, { number: 1 }, PATIENT)
    await busy.untilWork('ask', { begun: 1 })

    await startResponder('newcomer')

    expect((await inLine).number).to.equal(1)
    expect((await busy.work('ask')).begun).to.deep.equal([0])
  })

  it('times out while its responder is stopped, and is aborted there when it continues', async () => {
    const responder = await startResponder('responder', { manner: 'held' })
    const begun = rejection(asker.request(Ask, { number: 1 }, { timeout: 500 }))
    await responder.untilWork('ask', { begun: 1 })

    responder.process.stop()
    const sent = rejection(asker.request(Ask, { number: 2 }, { timeout: 50 }))
    for (const error of await Promise.all([begun, sent])) expect(error).to.be.instanceOf(RequestTimeout)
    responder.process.continue()

    await responder.untilWork('ask', { begun: 2, aborted: 2 })
    await responder.finishAll('ask')
    expect(await asker.request(Ask, { number: 3 })).to.include({ number: 3 })
    const { aborted, ended } = await responder.work('ask')
    expect([...aborted].sort()).to.deep.equal([1, 2])
    expect([...ended].sort()).to.deep.equal([1, 2, 3])
  })

  it('is aborted when the asking process is killed', async () => {
    const responder = await bus.join('responder')
    const other = await bus.start('other')
    await other.waitUntilConnectedTo('responder')
    let ready: Promise<unknown> | undefined
    const asked = new Promise<AbortSignal>((resolve) => {
      ready = responder.respond('ask', async ({ signal }) => {
        resolve(signal)
        await once(signal, 'abort')
      }).ready
    })
    await ready
    await other.ask('ask', 7)
    const signal = await asked
    expect(signal.aborted).to.equal(false)

    other.process.kill()
    await once(signal, 'abort')
    expect(signal.reason).to.include({ code: 'LAHJA_ABORTED', message: 'the asker other disconnected' })
  })

  it('to all yields one reply per responder, including a killed and a throwing one', async () => {
    await startResponder('sound')
    await startResponder('faulty', { throws: true })
    const victim = await startResponder('victim', { manner: 'held' })
    const replies = asker.requestAll(Ask, { number: 7 }, PATIENT)
    await victim.untilWork('ask', { begun: 1 })
    victim.process.kill()

    const outcomes = new Map<string, unknown>()
    for await (const { origin, payload, error } of replies) {
      expect(outcomes.has(origin), origin).to.equal(false)
      outcomes.set(origin, error?.code ?? payload?.number)
    }
    expect(Object.fromEntries(outcomes)).to.deep.equal({
      sound: 7,
      faulty: 'LAHJA_REMOTE_ERROR',
      victim: 'LAHJA_REMOTE_DISCONNECTED',
    })
  })

  for (const [manner, what] of [
    ['in-turns', 'busy'],
    ['at-once', 'idle'],
  ] as const) {
    it(`is answered and handled once while ${what} responders close`, async () => {
      const service = { manner, logs: bus.logs }
      await startResponder('stays', service)
      const answers: Promise<unknown>[] = []
      for (let round = 0; round < 3; round++) {
        const leaver = await startResponder('leaver', service)
        let isClosed = false
        const closed = leaver.close().then(() => {
          isClosed = true
        })
        for (; !isClosed; await setImmediate()) {
          for (let count = 0; count < 20; count++) {
            const number = answers.length
            answers.push(asker.request(Ask, { number }, PATIENT).then((answer) => answer.number, messageOf))
          }
        }
        await closed
      }

      const outcomes = await Promise.all(answers)
      const wrong = outcomes.filter((outcome, number) => outcome !== number)
      expect(wrong.length, `of ${outcomes.length}: ${wrong[0]}`).to.equal(0)
      const begun = numbersOf(readWorkLogs(bus.logs), 'begun')
      expect(begun).to.deep.equal(outcomes)
    })
  }

  it('G11: settles once and is handled at most once, for 3,000 requests while responders die and restart', async () => {
    const names = Array.from({ length: 4 }, (_, index) => `responder-${index}`)
    const service = { manner: 'in-turns', logs: bus.logs } as const
    const responders = await Promise.all(names.map((name) => startResponder(name, service)))
    const spares = await bus.processes.participants(names.length)
    const outcomes = new Map<number, unknown[]>()
    const settled = (number: number, outcome: unknown) =>
      outcomes.set(number, [...(outcomes.get(number) ?? []), outcome])

    let asked = 0
    let isOver = false
    const lane = async () => {
      while (!isOver || asked < 3000) {
        const number = asked++
        await asker.request(Ask, { number }, PATIENT).then(
          (answer) => settled(number, answer.number),
          (error) => settled(number, error.code),
        )
      }
    }
    const lanes = Promise.all(Array.from({ length: 1000 }, lane))
    for (const [index, victim] of responders.entries()) {
      await victim.untilWork('ask', { begun: 100 })
      victim.process.kill()
      await startResponder(victim.name, service, spares[index])
    }
    isOver = true
    await lanes
    expectSettled(outcomes, asked)
    expectHandledOnce(outcomes, readWorkLogs(bus.logs))
  })
})

function messageOf(error: Error): string {
  return error.message
}

/** Each request has one outcome: its own answer, or the loss of its responder. */
function expectSettled(outcomes: ReadonlyMap<number, readonly unknown[]>, asked: number): void {
  expect(outcomes.size).to.equal(asked)
  let lost = 0

  for (const [number, settled] of outcomes) {
    expect(settled, `request ${number}`).to.have.lengthOf(1)
    if (settled[0] === number) continue
    expect(settled[0], `request ${number}`).to.equal('LAHJA_REMOTE_DISCONNECTED')
    lost++
  }
  expect(lost, 'requests that a responder took with it').to.be.within(1, asked - 1)
}

/** No number is begun twice, and each answered one has been ended. */
function expectHandledOnce(outcomes: ReadonlyMap<number, readonly unknown[]>, entries: readonly Entry[]): void {
  const begun = numbersOf(entries, 'begun')
  const twice = begun.filter((number, index) => number === begun[index - 1])
  expect(twice, 'numbers begun twice').to.deep.equal([])
  const ended = new Set(numbersOf(entries, 'ended'))
  const answered = [...outcomes].filter(([number, [outcome]]) => outcome === number)
  const unhandled = answered.filter(([number]) => !ended.has(number))
  expect(unhandled, 'answered and not handled').to.deep.equal([])
}
