import { expect } from 'chai'
import { drawBoundary } from '../../src/model/boundary'
import { Ingress } from '../../src/routing/ingress'

const web = { name: 'shop', groups: ['web'] }

describe('Ingress', () => {
  it('lets in every type without `accepts`', () => {
    expect(new Ingress(web, undefined).refusal('event', 'a.b')).to.equal(undefined)
  })

  it('lets in types that match one of the patterns, and says why it refuses others', () => {
    const ingress = new Ingress(web, ['order.*', 'order.paid.>', 'tick'])
    for (const type of ['order.placed', 'order.paid', 'order.paid.late', 'tick']) {
      for (let time = 0; time < 2; time++) expect(ingress.refusal('event', type)).to.equal(undefined)
    }
    for (const type of ['order', 'order.placed.late', 'tock', 'a.tick']) {
      for (let time = 0; time < 2; time++) {
        expect(ingress.refusal('event', type)).to.equal(`${type} is not a type that this endpoint accepts`)
      }
    }
  })

  it('lets in nothing with an empty `accepts`', () => {
    expect(new Ingress(web, []).refusal('event', 'a')).to.contain('is not a type that')
  })

  it('refuses a type whose boundary excludes the endpoint, even if it is accepted', () => {
    drawBoundary('ingress.internal', 'internal')
    drawBoundary('ingress.eu', { groups: ['eu', 'us'] })
    drawBoundary('ingress.web', { groups: ['web', 'eu'] })
    for (const accepts of [undefined, ['>']]) {
      const ingress = new Ingress(web, accepts)
      expect(ingress.refusal('event', 'ingress.internal')).to.equal('the boundary of ingress.internal is internal')
      expect(ingress.refusal('event', 'ingress.eu')).to.equal('the boundary of ingress.eu is groups eu, us')
      expect(ingress.refusal('event', 'ingress.web')).to.equal(undefined)
    }
    expect(new Ingress(web, ['other']).refusal('event', 'ingress.web')).to.contain('is not a type that')
  })

  it('refuses a type as soon as its boundary is set', () => {
    const ingress = new Ingress(web, ['ingress.>'])
    expect(ingress.refusal('event', 'ingress.late')).to.equal(undefined)
    drawBoundary('ingress.late', 'internal')
    expect(ingress.refusal('event', 'ingress.late')).to.equal('the boundary of ingress.late is internal')
  })
})
