import { expect } from 'chai'
import { checkPartition, partitionKeyOf } from '../../src/model/partition'

describe('the partition of an event', () => {
  it('is the text of a string or a number', () => {
    expect(partitionKeyOf(() => 'Ada', 'order', undefined)).to.equal('Ada')
    expect(partitionKeyOf((payload) => Number(payload), 'order', 7)).to.equal('7')
  })

  it('is refused if it is anything else, or throws anything', () => {
    for (const key of [undefined, null, true, {}, Symbol('key'), 1n]) {
      expect(() => partitionKeyOf(() => Object(key), 'order', 1)).to.throw(
        'partition of event order: expected a string or a number',
      )
    }
    for (const thrown of [new Error('no'), 'no', undefined]) {
      const partition = checkPartition('partition of order', () => {
        throw thrown
      })
      expect(() => partitionKeyOf(partition, 'order', 1))
        .to.throw('partition of event order failed')
        .with.property('code', 'LAHJA_INVALID_ARGUMENT')
    }
  })
})
