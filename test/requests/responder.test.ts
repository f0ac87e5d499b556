import { expect } from 'chai'
import { Responder } from '../../src/requests/responder'
import { unhandledDuring } from '../support/unhandled'
import { turn } from '../support/workbench'

describe('Responder', () => {
  it('asks whether it is known when somebody wants to know, and once', async () => {
    let asked = 0
    const responder = new Responder(
      'order.get',
      async () => void asked++,
      () => {},
    )
    await turn()
    expect(asked).to.equal(0)
    await Promise.all([responder.ready, responder.ready])
    expect(asked).to.equal(1)
  })

  it('is never ready where it is told so, which hurts nobody who does not wait for it', async () => {
    const known = () => Promise.reject(new Error('closed'))
    const responder = new Responder('order.get', known, () => {})
    expect(await unhandledDuring(() => void responder.ready)).to.deep.equal([])
    expect(await responder.ready.catch((error) => error)).to.have.property('message', 'closed')
  })

  it('ends once, whoever ends it how often', () => {
    let ends = 0
    const responder = new Responder(
      'order.get',
      () => Promise.resolve(),
      () => ends++,
    )
    responder.unsubscribe()
    responder.unsubscribe()
    responder[Symbol.dispose]()
    expect(ends).to.equal(1)
  })
})
