import { expect } from 'chai'
import { Flusher } from '../../src/channel/flusher'
import { idleConnection } from '../support/idle-connection'
import { ManualClock } from '../support/manual-clock'
import { throwing } from '../support/throwing'
import { turn } from '../support/workbench'

/** A flusher with a source of chunks and a connection. */
class Bench {
  readonly clock = new ManualClock()
  readonly queued: string[] = []
  readonly written: string[] = []
  /** Calls of `onWritten`. */
  left = 0
  /** Whether the connection takes a write at once. */
  takes: () => boolean = () => true
  readonly #pending: (() => void)[] = []
  readonly flusher = new Flusher(
    {
      ...idleConnection,
      write: (chunks, done) => {
        this.written.push(Buffer.concat(chunks).toString())
        const isTaken = this.takes()
        if (!isTaken) this.#pending.push(done)
        return isTaken
      },
    },
    this.clock,
    {
      next: () => {
        const chunk = this.queued.shift()
        return chunk === undefined ? undefined : [Buffer.from(chunk)]
      },
      onWritten: () => {
        this.left++
        this.onWritten()
      },
    },
  )
  onWritten: () => void = () => {}

  /** Writes that have not left. */
  get pending(): number {
    return this.#pending.length
  }

  async finishWrite(): Promise<void> {
    this.#pending.shift()?.()
    await turn()
  }
}

describe('Flusher', () => {
  let bench: Bench

  beforeEach(() => {
    bench = new Bench()
  })

  it('flushes once at the end of the tick, however often it is scheduled', () => {
    bench.flusher.schedule()
    bench.queued.push('a', 'b')
    bench.flusher.schedule()
    expect(bench.written).to.deep.equal([])
    expect(bench.flusher.isScheduled).to.equal(true)
    bench.clock.turn()
    expect(bench.written).to.deep.equal(['a', 'b'])
    expect(bench.left).to.equal(2)
    expect(bench.flusher.isScheduled).to.equal(false)
  })

  it('flushes within the tick when it is told to', () => {
    bench.queued.push('a')
    bench.flusher.schedule()
    bench.flusher.flush()
    expect(bench.written).to.deep.equal(['a'])
    bench.queued.push('b')
    bench.clock.turn()
    expect(bench.written).to.deep.equal(['a', 'b'])
  })

  it('goes on after writes that ended while a test framework had faked queueMicrotask', async () => {
    const { queueMicrotask } = globalThis
    bench.takes = () => false
    bench.onWritten = () => {
      if (bench.left === 1) bench.flusher.flush()
    }
    bench.queued.push('a', 'b')
    globalThis.queueMicrotask = () => {}
    try {
      bench.flusher.flush()
      await bench.finishWrite()
      await bench.finishWrite()
    } finally {
      globalThis.queueMicrotask = queueMicrotask
    }
    bench.queued.push('c', 'd')
    bench.flusher.flush()
    await bench.finishWrite()
    await bench.finishWrite()
    expect(bench.written).to.deep.equal(['a', 'b', 'c', 'd'])
    expect(bench.left).to.equal(4)
  })

  it('has at most one write under way, and goes on when it has left', async () => {
    bench.takes = () => false
    bench.queued.push('a', 'b')
    bench.flusher.flush()
    bench.flusher.flush()
    bench.flusher.schedule()
    bench.clock.turn()
    for (const [index, expected] of [['a'], ['a', 'b'], ['a', 'b', 'c']].entries()) {
      expect(bench.written).to.deep.equal(expected)
      expect([bench.pending, bench.left, bench.flusher.isWriting]).to.deep.equal([1, index, true])
      if (index === 0) bench.queued.push('c')
      await bench.finishWrite()
    }
    expect([bench.pending, bench.left, bench.flusher.isWriting]).to.deep.equal([0, 3, false])
  })

  it('has at most one write under way when its source flushes from onWritten', async () => {
    bench.takes = () => false
    bench.onWritten = () => bench.flusher.flush()
    bench.queued.push('a', 'b', 'c')
    bench.flusher.flush()
    for (const [index, expected] of [['a'], ['a', 'b'], ['a', 'b', 'c']].entries()) {
      expect(bench.written).to.deep.equal(expected)
      expect([bench.pending, bench.left, bench.flusher.isWriting]).to.deep.equal([1, index, true])
      await bench.finishWrite()
    }
    expect([bench.pending, bench.left, bench.flusher.isWriting]).to.deep.equal([0, 3, false])
  })

  it('writes nothing more once it is closed', async () => {
    bench.queued.push('a')
    bench.flusher.schedule()
    bench.flusher.close()
    bench.clock.turn()
    bench.flusher.flush()
    expect(bench.written).to.deep.equal([])
  })

  it('writes nothing more when it is closed during a write', async () => {
    bench.takes = () => false
    bench.queued.push('a', 'b')
    bench.flusher.flush()
    bench.flusher.close()
    await bench.finishWrite()
    expect(bench.written).to.deep.equal(['a'])
    expect(bench.left).to.equal(0)
  })

  it('stays closed when a write closes it', () => {
    bench.takes = () => {
      bench.flusher.close()
      return false
    }
    bench.queued.push('a', 'b')
    bench.flusher.flush()
    expect(bench.flusher).to.include({ isClosed: true, isWriting: false })
  })

  it('flushes again after its source has thrown', () => {
    bench.onWritten = throwing(new Error('broken'))
    bench.queued.push('a', 'b')
    expect(() => bench.flusher.flush()).to.throw('broken')
    bench.onWritten = () => {}
    expect(bench.flusher.isWriting).to.equal(false)
    bench.flusher.schedule()
    bench.clock.turn()
    expect(bench.written).to.deep.equal(['a', 'b'])
  })
})
