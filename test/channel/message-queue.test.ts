import { expect } from 'chai'
import { MessageQueue } from '../../src/channel/message-queue'
import type { Frame } from '../../src/wire/frame'
import { collectGarbage } from '../support/garbage'

function frameOf(bytes: number): Frame {
  return { bytes: Buffer.alloc(bytes), start: 0, end: bytes }
}

/** A queue, and the sum of its charges. */
function charged(): { queue: MessageQueue; charge: () => number } {
  let sum = 0
  const queue = new MessageQueue((bytes) => {
    sum += bytes
  })
  return { queue, charge: () => sum }
}

function bytesOf(queue: MessageQueue): number[] {
  return queue.take(Number.POSITIVE_INFINITY).flatMap((chunk) => [...chunk])
}

/** A frame of one byte. */
function marked(byte: number): Frame {
  return { bytes: Buffer.of(byte), start: 0, end: 1 }
}

describe('MessageQueue', () => {
  for (const order of ['from the front', 'from the back']) {
    it(`removes 100,000 messages one by one, ${order}`, function () {
      this.timeout(5000)
      const { queue, charge } = charged()
      const frames = Array.from({ length: 100_000 }, (_, index) => marked(index & 0xff))
      for (const frame of frames) queue.push(frame)
      if (order === 'from the back') frames.reverse()
      for (const frame of frames) expect(queue.remove(frame)).to.equal(true)
      expect(queue.isEmpty).to.equal(true)
      expect([queue.cost, charge()]).to.deep.equal([0, 0])
    })
  }

  it('keeps no message that has been removed', async () => {
    const { queue } = charged()
    queue.push(marked(1))
    const references = Array.from({ length: 10 }, () => {
      const frame = frameOf(100)
      queue.push(frame)
      queue.remove(frame)
      return new WeakRef(frame)
    })
    await collectGarbage()
    expect(references.filter((reference) => reference.deref())).to.have.length(0)
    expect(bytesOf(queue)).to.deep.equal([1])
  })

  it('removes a message wherever it is, and once only', () => {
    for (const at of [0, 1, 2, 3]) {
      const { queue, charge } = charged()
      const frames = [0, 1, 2, 3].map(marked)
      for (const frame of frames) queue.push(frame)
      const removed = frames[at] ?? expect.fail()
      expect(queue.remove(removed)).to.equal(true)
      expect(queue.remove(removed)).to.equal(false)
      queue.push(marked(4))
      expect(charge()).to.equal(queue.cost)
      expect(bytesOf(queue)).to.deep.equal([0, 1, 2, 3, 4].filter((byte) => byte !== at))
      expect([queue.isEmpty, queue.cost, charge()]).to.deep.equal([true, 0, 0])
      expect(queue.remove(removed)).to.equal(false)
    }
  })

  it('moves messages up to the first whose cut has not been passed, without the removed ones', () => {
    const { queue, charge } = charged()
    const other = charged()
    const frames = [0, 1, 2, 3].map(marked)
    for (const [cut, frame] of frames.entries()) queue.push(frame, cut)
    const [first = expect.fail(), , , last = expect.fail()] = frames
    queue.remove(first)
    queue.moveTo(other.queue, (cut) => cut < 3)
    expect(other.queue.remove(last)).to.equal(false)
    expect(queue.remove(last)).to.equal(true)
    expect([queue.isEmpty, charge()]).to.deep.equal([true, 0])
    expect(other.charge()).to.equal(other.queue.cost)
    expect(bytesOf(other.queue)).to.deep.equal([1, 2])
  })

  it('has nothing to give back after it was cleared', () => {
    const { queue, charge } = charged()
    const frames = [0, 1].map(marked)
    for (const frame of frames) queue.push(frame)
    const [first = expect.fail(), second = expect.fail()] = frames
    queue.remove(first)
    queue.clear()
    expect(queue.remove(second)).to.equal(false)
    expect([queue.isEmpty, queue.cost, charge()]).to.deep.equal([true, 0, 0])
    queue.push(marked(2))
    expect(bytesOf(queue)).to.deep.equal([2])
  })
})
