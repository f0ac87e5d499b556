import { expect } from 'chai'
import { drawBoundary } from '../../src/model/boundary'
import { Ingress } from '../../src/routing/ingress'

const web = { name: 'shop', groups: ['web'] }

describe('Gate', () => {
  it('lets everything in where nothing is said', () => {
    expect(new Ingress(web, undefined).refusal('a.b')).to.equal(undefined)
  })

  it('lets in what one of the patterns stands for, and says of the rest why not', () => {
    const gate = new Ingress(web, ['order.*', 'order.paid.>', 'tick'])
    for (const type of ['order.placed', 'order.paid', 'order.paid.late', 'tick']) {
      for (let time = 0; time < 2; time++) expect(gate.refusal(type)).to.equal(undefined)
    }
    for (const type of ['order', 'order.placed.late', 'tock', 'a.tick']) {
      for (let time = 0; time < 2; time++) {
        expect(gate.refusal(type)).to.equal(`${type} is not among the types that are accepted`)
      }
    }
  })

  it('lets nothing in where nothing is accepted', () => {
    expect(new Ingress(web, []).refusal('a')).to.contain('not among the types')
  })

  it('lets in what a boundary allows to be here, and nothing else, whatever is accepted', () => {
    drawBoundary('gate.internal', 'internal')
    drawBoundary('gate.eu', { groups: ['eu', 'us'] })
    drawBoundary('gate.web', { groups: ['web', 'eu'] })
    for (const accepts of [undefined, ['>']]) {
      const gate = new Ingress(web, accepts)
      expect(gate.refusal('gate.internal')).to.equal('the boundary of gate.internal is internal')
      expect(gate.refusal('gate.eu')).to.equal('the boundary of gate.eu is groups eu, us')
      expect(gate.refusal('gate.web')).to.equal(undefined)
    }
    expect(new Ingress(web, ['other']).refusal('gate.web')).to.contain('not among the types')
  })

  it('knows of a boundary that is drawn after the first look', () => {
    const gate = new Ingress(web, ['gate.>'])
    expect(gate.refusal('gate.late')).to.equal(undefined)
    drawBoundary('gate.late', 'internal')
    expect(gate.refusal('gate.late')).to.equal('the boundary of gate.late is internal')
  })
})
