import { expect } from 'chai'
import { z } from 'zod'
import { defineEvent, defineRequest, type Endpoint, InvalidPayload, RemoteError, UnexpectedResponse } from '../../src'
import { rejection } from '../support/rejection'
import { useBus } from './bus'
import type { RemoteEndpoint } from './remote-endpoint'
import { until } from './until'

/** The sender takes any number; the receivers have other schemas, of another library. */
const Reading = defineEvent('reading', z.object({ number: z.number() }))
const Ask = defineRequest('ask', {
  request: z.object({ number: z.number() }),
  response: z.object({ number: z.number().min(5), pid: z.number() }),
})

describe('different schemas in different processes', () => {
  const bus = useBus()
  let sender: Endpoint
  let receiver: RemoteEndpoint

  beforeEach(async () => {
    sender = await bus.join('sender')
    receiver = await bus.start('receiver')
  })

  async function errorsOf(endpoint: RemoteEndpoint): Promise<string[]> {
    const notices = await endpoint.notices()
    return notices.filter(({ kind }) => kind === 'error').map(({ cause }) => cause)
  }

  it('deliver events valid for both, and report others at the receiver that rejects them', async () => {
    const easygoing = await bus.start('easygoing')
    await easygoing.subscribe('reading')
    await receiver.defineEvent('reading', { schema: 'digit' })
    await receiver.subscribe('reading')

    for (const number of [7, 70, 8, 80, 9]) expect(await sender.broadcast(Reading, { number })).to.equal(2)

    await receiver.untilReceived('reading', 3)
    expect((await receiver.received('reading')).map(({ number }) => number)).to.deep.equal([7, 8, 9])
    await until(async () => (await errorsOf(receiver)).length === 2)
    expect(await errorsOf(receiver)).to.deep.equal(Array(2).fill('LAHJA_INVALID_PAYLOAD'))
    await easygoing.untilReceived('reading', 5)
    expect((await easygoing.received('reading')).map(({ number }) => number)).to.deep.equal([7, 70, 8, 80, 9])
    expect(await errorsOf(easygoing)).to.deep.equal([])
    expect(sender.isConnectedTo('receiver')).to.equal(true)
  })

  it('keep a sender from sending an event invalid for its own schema', async () => {
    await receiver.subscribe('reading')
    const Wrong = defineEvent('reading', z.object({ number: z.number().max(5) }))

    expect(await rejection(sender.broadcast(Wrong, { number: 6 }))).to.be.instanceOf(InvalidPayload)
    expect(await rejection(() => sender.broadcastNowait(Wrong, { number: 6 }))).to.be.instanceOf(InvalidPayload)
    await sender.broadcast(Wrong, { number: 5 })

    await receiver.untilReceived('reading', 1)
    expect(await receiver.received('reading')).to.deep.equal([{ origin: 'sender', number: 5 }])
  })

  it('give each receiver the output of its own schema', async () => {
    const plain = await bus.start('plain')
    await plain.subscribe('reading')
    await receiver.defineEvent('reading', { schema: 'negated' })
    await receiver.subscribe('reading')

    await sender.broadcast(Reading, { number: 7 })

    for (const endpoint of [plain, receiver]) await endpoint.untilReceived('reading', 1)
    expect((await receiver.received('reading'))[0]?.number).to.equal(-7)
    expect((await plain.received('reading'))[0]?.number).to.equal(7)
  })

  it('settle a queue event that is invalid at its worker', async () => {
    await receiver.defineEvent('reading', { schema: 'digit' })
    await receiver.subscribe('reading', { queue: 'readers' })
    const left = new Promise<number>((resolve) => {
      sender.on('left', (_, { unfinished }) => resolve(unfinished))
    })

    for (const number of [70, 7, 80, 8]) expect(await sender.broadcast(Reading, { number })).to.equal(1)
    await receiver.untilReceived('reading', 2)
    expect((await receiver.received('reading')).map(({ number }) => number)).to.deep.equal([7, 8])
    await until(async () => (await errorsOf(receiver)).length === 2)
    expect(await errorsOf(receiver)).to.deep.equal(Array(2).fill('LAHJA_INVALID_PAYLOAD'))
    await receiver.close()
    expect(await left).to.equal(0)
  })

  it('keep a request invalid for its sender from being sent', async () => {
    await receiver.respond('ask')
    const request = Reflect.apply(sender.request, sender, [Ask, { number: 'seven' }])
    expect(await rejection(request)).to.be.instanceOf(InvalidPayload)
    expect(await sender.request(Ask, { number: 7 })).to.include({ number: 7 })
    expect((await receiver.work('ask')).begun).to.deep.equal([7])
  })

  it('reject a request invalid for its responder before its handler runs', async () => {
    await receiver.defineRequest('ask', { schema: 'digit' })
    await receiver.respond('ask')

    const error = await rejection(sender.request(Ask, { number: 70 }))

    expect(error).to.be.instanceOf(RemoteError)
    expect(Reflect.get(error, 'remote')).to.include({ name: 'InvalidPayload', code: 'LAHJA_INVALID_PAYLOAD' })
    expect(await sender.request(Ask, { number: 7 })).to.include({ number: 7 })
    expect((await receiver.work('ask')).begun).to.deep.equal([7])
  })

  it('reject a response invalid for its responder or for the asker', async () => {
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
