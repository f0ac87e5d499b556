import { expect } from 'chai'
import fc from 'fast-check'
import type { Clock, Timer } from '../../src/platform/clock'
import { type Expiring, Timeouts } from '../../src/platform/timeouts'
import { ManualClock } from '../support/manual-clock'

class Wanted implements Expiring {
  ticket: Expiring['ticket']
  readonly #expired: () => void

  constructor(expired: () => void) {
    this.#expired = expired
  }

  expire(): void {
    this.#expired()
  }
}

describe('Timeouts', () => {
  for (const throws of [false, true]) {
    it(`end what is added while others end${throws ? ', although one of these throws' : ''}`, () => {
      const clock = new ManualClock()
      const timeouts = new Timeouts<Wanted>(clock)
      const ended: string[] = []
      const add = (name: string, then = () => {}) => {
        const entry = new Wanted(() => {
          ended.push(name)
          timeouts.remove(entry)
          then()
        })
        timeouts.add(entry, 100)
      }
      add('first', () => {
        add('third')
        if (throws) throw new RangeError('by a listener')
      })
      add('second')
      if (throws) expect(() => clock.advance(100)).to.throw(RangeError)
      else clock.advance(100)
      clock.advance(100)
      add('fourth')
      clock.advance(100)
      expect(ended).to.deep.equal(['first', 'second', 'third', 'fourth'])
      expect(clock.pending).to.equal(0)
    })
  }

  it('end each in its time and in order, unless it is removed before, whatever else there is', () => {
    const action = fc.oneof(
      fc.record({ add: fc.constantFrom(10, 20, 1000) }),
      fc.record({ remove: fc.nat() }),
      fc.record({ pass: fc.integer({ min: 1, max: 30 }) }),
    )
    fc.assert(
      fc.property(fc.array(action, { maxLength: 300 }), (actions) => {
        const clock = new ManualClock()
        const timeouts = new Timeouts<Wanted>(clock)
        const expired: number[] = []
        const open = new Map<number, { readonly entry: Wanted; readonly timeout: number; readonly at: number }>()
        let added = 0
        for (const action of actions) {
          if ('add' in action) {
            const number = added++
            const entry = new Wanted(() => {
              expired.push(number)
              timeouts.remove(entry)
            })
            timeouts.add(entry, action.add)
            open.set(number, { entry, timeout: action.add, at: clock.now() + action.add })
          } else if ('remove' in action) {
            const [number, { entry } = { entry: undefined }] = [...open][action.remove % Math.max(open.size, 1)] ?? []
            if (number === undefined || !entry) continue
            timeouts.remove(entry)
            open.delete(number)
          } else {
            clock.advance(action.pass)
            const due = [...open].filter(([, { at }]) => at <= clock.now()).map(([number]) => number)
            expect(expired.splice(0).sort()).to.deep.equal(due.sort())
            for (const number of due) open.delete(number)
          }
          expect([...timeouts]).to.have.members([...open.values()].map(({ entry }) => entry))
          expect(clock.pending).to.equal(new Set([...open.values()].map(({ timeout }) => timeout)).size)
        }
        for (const { entry } of open.values()) timeouts.remove(entry)
        expect(clock.pending).to.equal(0)
      }),
    )
  })

  it('need one timer for all that have the same timeout', () => {
    const clock = new ManualClock()
    const timeouts = new Timeouts<Wanted>(clock)
    const entries = Array.from({ length: 10_000 }, () => new Wanted(() => {}))
    for (const entry of entries) timeouts.add(entry, 30_000)
    expect(clock.pending).to.equal(1)
    for (const entry of entries) timeouts.remove(entry)
    expect(clock.pending).to.equal(0)
  })

  describe('with timers that can be kept for others', () => {
    class KeepingClock extends ManualClock {
      readonly kept: boolean[] = []

      override after(delay: number, call: () => void): Timer {
        const { cancel } = super.after(delay, call)
        const timer = this.kept.push(true) - 1
        return {
          cancel,
          keepAlive: (isNeeded) => {
            this.kept[timer] = isNeeded
          },
        }
      }
    }

    it('keep that of a timeout that nobody has, which keeps no process alive', () => {
      const clock = new KeepingClock()
      const timeouts = new Timeouts<Wanted>(clock satisfies Clock)
      const ended: number[] = []
      for (let number = 0; number < 3; number++) {
        const entry = new Wanted(() => {})
        timeouts.add(entry, 1000)
        expect(clock.kept).to.deep.equal([true])
        timeouts.remove(entry)
        expect(clock.kept).to.deep.equal([false])
        clock.advance(100)
      }
      const last = new Wanted(() => {
        ended.push(clock.now())
        timeouts.remove(last)
      })
      timeouts.add(last, 1000)
      clock.advance(5000)
      expect(ended).to.deep.equal([1300])
      expect(clock.pending).to.equal(0)
    })

    it('keep only some of those of many timeouts', () => {
      const clock = new KeepingClock()
      const timeouts = new Timeouts<Wanted>(clock)
      for (let timeout = 1; timeout <= 1000; timeout++) {
        const entry = new Wanted(() => {})
        timeouts.add(entry, timeout)
        timeouts.remove(entry)
      }
      expect(clock.pending).to.equal(16)
      clock.advance(1000)
      expect(clock.pending).to.equal(0)
    })
  })
})
