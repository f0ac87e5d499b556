import { types } from 'node:util'
import { expect } from 'chai'
import {
  BoundaryCrossed,
  handlerError,
  InvalidPayload,
  type LahjaError,
  NameInUse,
  NoSubscribers,
  Unauthenticated,
} from '../src/model/errors'
import { ReportLimiter } from '../src/report-limiter'
import { ManualClock } from './support/manual-clock'

describe('ReportLimiter', () => {
  const crossed = (type: string) => new BoundaryCrossed(`event ${type} from raw was refused`)

  function limiter(isHeard = true) {
    const clock = new ManualClock()
    const reported: LahjaError[] = []
    const reports = new ReportLimiter(
      clock,
      (error) => reported.push(error),
      () => isHeard,
    )
    return { clock, reports, reported, messages: () => reported.splice(0).map(({ message }) => message) }
  }

  it('reports one error a second for each reason, and says how many it has left out', () => {
    const { clock, reports, messages } = limiter()
    for (let count = 0; count < 1000; count++) reports.report(crossed('x'))
    reports.report(crossed('y'))
    expect(messages()).to.deep.equal(['event x from raw was refused', 'event y from raw was refused'])
    clock.advance(999)
    expect(messages()).to.deep.equal([])
    clock.advance(1)
    expect(messages()).to.deep.equal(['event x from raw was refused (and 998 more like it within a second)'])
    reports.report(crossed('x'))
    expect(messages()).to.deep.equal([])
    clock.advance(1000)
    expect(messages()).to.deep.equal(['event x from raw was refused'])
    clock.advance(1000)
    expect(clock.pending).to.equal(0)
  })

  it('takes errors of one code for one reason if there are too many, and whatever a link failed for', () => {
    const { clock, reports, reported } = limiter()
    for (let count = 0; count < 10_000; count++) reports.report(crossed(`x.${count}`))
    for (let count = 0; count < 10_000; count++) reports.report(new Unauthenticated(`stranger~${count}`))
    expect(reported.length).to.be.below(40)
    clock.advance(1000)
    expect(reported.length).to.be.below(50)
  })

  it('says how many it has left out in an error of the same class, and leaves the one that it was given as it was', () => {
    const { clock, reports, reported } = limiter()
    const given = Object.freeze(new InvalidPayload('no good', [{ message: 'odd' }], { cause: new Error('why') }))
    for (let count = 0; count < 3; count++) reports.report(given)
    clock.advance(1000)
    expect(given.message).to.equal('no good')
    const [, summary] = reported
    expect(summary).to.be.instanceOf(InvalidPayload)
    expect(summary).to.include({
      name: 'InvalidPayload',
      code: 'LAHJA_INVALID_PAYLOAD',
      message: 'no good (and 1 more like it within a second)',
      cause: given.cause,
      issues: given.issues,
    })
    expect(types.isNativeError(summary)).to.equal(true)
    expect(summary?.stack).to.equal(given.stack)
    for (let count = 0; count < 3; count++) reports.report(given)
    clock.advance(1000)
    expect(reported.at(-1)?.message).to.equal('no good (and 2 more like it within a second)')
  })

  it('reports what it has left out when it is closed, and holds no timer', () => {
    const { clock, reports, messages } = limiter()
    for (let count = 0; count < 3; count++) reports.report(crossed('x'))
    reports.close()
    reports.report(crossed('x'))
    expect(messages()).to.deep.equal([
      'event x from raw was refused',
      'event x from raw was refused (and 1 more like it within a second)',
      'event x from raw was refused',
    ])
    expect(clock.pending).to.equal(0)
  })

  it('limits whatever becomes a process warning, as nothing listens to errors', () => {
    const { clock, reports, messages } = limiter(false)
    const text = 'event job of queue q is lost: the last member of the queue left here'
    for (let count = 0; count < 2000; count++) reports.report(new NoSubscribers(text))
    reports.report(handlerError('a handler failed', new RangeError('no')))
    expect(messages()).to.deep.equal([text, 'a handler failed: no'])
    clock.advance(1000)
    expect(messages()).to.deep.equal([`${text} (and 1998 more like it within a second)`])
  })

  it('reports every lost event of a queue to those who listen', () => {
    const { reports, messages } = limiter()
    for (let count = 0; count < 2000; count++) reports.report(new NoSubscribers(`event job ${count % 2}`))
    expect(messages()).to.have.length(2000)
  })

  it('reports every error that others cannot cause at will', () => {
    const { reports, reported } = limiter()
    for (let count = 0; count < 3; count++) {
      reports.report(handlerError('a handler failed', new RangeError('no')))
      reports.report(new NameInUse('in use'))
    }
    expect(reported).to.have.length(6)
  })
})
