import { expect } from 'chai'
import { z } from 'zod'
import { defineEvent, defineRequest, type Endpoint, InvalidPayload, RemoteError, UnexpectedResponse } from '../../src'
import { rejection } from '../support/rejection'
import { Bus } from './bus'
import type { RemoteEndpoint } from './remote-endpoint'

/** The sender takes any number; its receivers are of other minds, and of another library. */
const Reading = defineEvent('reading', z.object({ number: z.number() }))
const Ask = defineRequest('ask', {
  request: z.object({ number: z.number() }),
  response: z.object({ number: z.number().min(5), pid: z.number() }),
})

describe('schemas of processes that do not agree', () => {
  const bus = new Bus()
  let sender: Endpoint
  let receiver: RemoteEndpoint

  beforeEach(async () => {
    await bus.open()
    sender = await bus.join('sender')
    receiver = await bus.start('receiver')
  })

  afterEach(() => bus.end())

  async function errorsOf(endpoint: RemoteEndpoint): Promise<string[]> {
    const notices = await endpoint.notices()
    return notices.filter(({ kind }) => kind === 'error').map(({ cause }) => cause)
  }

  it('let through what fits both, and report the rest where it does not fit', async () => {
    const easygoing = await bus.start('easygoing')
    await easygoing.subscribe('reading')
    await receiver.defineEvent('reading', { schema: 'digit' })
    await receiver.subscribe('reading')

    for (const number of [7, 70, 8, 80, 9]) expect(await sender.broadcast(Reading, { number })).to.equal(2)

    await receiver.untilReceived('reading', 3)
    expect((await receiver.received('reading')).map(({ number }) => number)).to.deep.equal([7, 8, 9])
    expect(await errorsOf(receiver)).to.deep.equal(Array(2).fill('LAHJA_INVALID_PAYLOAD'))
    await easygoing.untilReceived('reading', 5)
    expect((await easygoing.received('reading')).map(({ number }) => number)).to.deep.equal([7, 70, 8, 80, 9])
    expect(await errorsOf(easygoing)).to.deep.equal([])
    expect(sender.isConnectedTo('receiver')).to.equal(true)
  })

  it('keep the sender from sending what does not fit its own', async () => {
    await receiver.subscribe('reading')
    const Wrong = defineEvent('reading', z.object({ number: z.number().max(5) }))

    expect(await rejection(sender.broadcast(Wrong, { number: 6 }))).to.be.instanceOf(InvalidPayload)
    expect(await rejection(() => sender.broadcastNowait(Wrong, { number: 6 }))).to.be.instanceOf(InvalidPayload)
    await sender.broadcast(Wrong, { number: 5 })

    await receiver.untilReceived('reading', 1)
    expect(await receiver.received('reading')).to.deep.equal([{ origin: 'sender', number: 5 }])
  })

  it('hand each receiver what its own makes of the payload', async () => {
    const plain = await bus.start('plain')
    await plain.subscribe('reading')
    await receiver.defineEvent('reading', { schema: 'negated' })
    await receiver.subscribe('reading')

    await sender.broadcast(Reading, { number: 7 })

    for (const endpoint of [plain, receiver]) await endpoint.untilReceived('reading', 1)
    expect((await receiver.received('reading'))[0]?.number).to.equal(-7)
    expect((await plain.received('reading'))[0]?.number).to.equal(7)
  })

  it('count an event of a queue as handled where it does not fit, so that nothing stalls', async () => {
    await receiver.defineEvent('reading', { schema: 'digit' })
    await receiver.subscribe('reading', { queue: 'readers' })
    const left = new Promise<number>((resolve) => {
      sender.on('left', (_, { unfinished }) => resolve(unfinished))
    })

    for (const number of [70, 7, 80, 8]) expect(await sender.broadcast(Reading, { number })).to.equal(1)
    await receiver.untilReceived('reading', 2)
    expect((await receiver.received('reading')).map(({ number }) => number)).to.deep.equal([7, 8])
    expect(await errorsOf(receiver)).to.deep.equal(Array(2).fill('LAHJA_INVALID_PAYLOAD'))
    await receiver.close()
    expect(await left).to.equal(0)
  })

  it('keep a request that does not fit the asker from being sent', async () => {
    await receiver.respond('ask')
    const request = Reflect.apply(sender.request, sender, [Ask, { number: 'seven' }])
    expect(await rejection(request)).to.be.instanceOf(InvalidPayload)
    expect(await sender.request(Ask, { number: 7 })).to.include({ number: 7 })
    expect((await receiver.work('ask')).begun).to.deep.equal([7])
  })

  it('let a request that does not fit the responder fail there, before its handler', async () => {
    await receiver.defineRequest('ask', { schema: 'digit' })
    await receiver.respond('ask')

    const error = await rejection(sender.request(Ask, { number: 70 }))

    expect(error).to.be.instanceOf(RemoteError)
    expect(Reflect.get(error, 'remote')).to.include({ name: 'InvalidPayload', code: 'LAHJA_INVALID_PAYLOAD' })
    expect(await sender.request(Ask, { number: 7 })).to.include({ number: 7 })
    expect((await receiver.work('ask')).begun).to.deep.equal([7])
  })

  it('let a response that does not fit the responder fail there, and one that does not fit the asker here', async () => {
    await receiver.defineRequest('ask', { response: 'digit' })
    await receiver.respond('ask')

    const tooMuch = await rejection(sender.request(Ask, { number: 70 }))
    expect(tooMuch).to.be.instanceOf(RemoteError)
    expect(Reflect.get(tooMuch, 'remote')).to.include({ code: 'LAHJA_INVALID_PAYLOAD' })

    const tooLittle = await rejection(sender.request(Ask, { number: 4 }))
    expect(tooLittle).to.be.instanceOf(UnexpectedResponse)
    expect(tooLittle.cause).to.be.instanceOf(InvalidPayload)

    expect(await sender.request(Ask, { number: 7 })).to.include({ number: 7 })
    expect((await receiver.work('ask')).begun).to.deep.equal([70, 4, 7])
  })
})
