import { expect } from 'chai'
import { boundaryOf, drawBoundary, isWithinBoundary } from '../../src/model/boundary'
import { InvalidArgument } from '../../src/model/errors'

const web = { name: 'shop', groups: ['web', 'eu'] }
const loner = { name: 'loner', groups: [] }

// What is drawn holds for the whole process, so each test has types of its own.
describe('a boundary', () => {
  it('is known by the name of its type from then on', () => {
    expect(boundaryOf('boundary.known')).to.equal(undefined)
    drawBoundary('boundary.known', 'internal')
    expect(boundaryOf('boundary.known')).to.equal('internal')
    expect(boundaryOf('boundary.unknown')).to.equal(undefined)
    expect(boundaryOf('__proto__')).to.equal(undefined)
  })

  it('that is internal keeps its type from every endpoint but the own one', () => {
    drawBoundary('boundary.within.internal', 'internal')
    for (const endpoint of [web, loner]) {
      expect(isWithinBoundary('boundary.within.internal', endpoint)).to.equal(false)
      expect(isWithinBoundary('boundary.within.internal', endpoint, true)).to.equal(true)
    }
  })

  it('of groups lets endpoints in one of them have its type, and the own one', () => {
    drawBoundary('boundary.within.eu', { groups: ['eu'] })
    drawBoundary('boundary.within.us', { groups: ['us', 'shop'] })
    expect(isWithinBoundary('boundary.within.eu', web)).to.equal(true)
    expect(isWithinBoundary('boundary.within.us', web)).to.equal(false)
    expect(isWithinBoundary('boundary.within.eu', loner)).to.equal(false)
    expect(isWithinBoundary('boundary.within.eu', loner, true)).to.equal(true)
  })

  it('that was never drawn keeps nothing from anybody', () => {
    expect(isWithinBoundary('boundary.within.none', loner)).to.equal(true)
  })

  it('can be drawn again, if it is the same one, in whatever order its groups are', () => {
    expect(drawBoundary('boundary.same', { groups: ['b', 'a'] })).to.deep.equal({ groups: ['a', 'b'] })
    expect(drawBoundary('boundary.same', { groups: ['a', 'b'] })).to.deep.equal({ groups: ['a', 'b'] })
    expect(drawBoundary('boundary.inside', 'internal')).to.equal('internal')
    expect(drawBoundary('boundary.inside', 'internal')).to.equal('internal')
  })

  it('cannot be drawn in another way, and stays', () => {
    drawBoundary('boundary.other', { groups: ['a'] })
    for (const other of ['internal', { groups: ['b'] }, { groups: ['a', 'b'] }]) {
      expect(() => drawBoundary('boundary.other', other)).to.throw(
        InvalidArgument,
        `boundary of boundary.other: expected {"groups":["a"]} as it was defined before, got `,
      )
    }
    expect(boundaryOf('boundary.other')).to.deep.equal({ groups: ['a'] })
    drawBoundary('boundary.inner', 'internal')
    expect(() => drawBoundary('boundary.inner', { groups: ['a'] })).to.throw(InvalidArgument)
  })

  it('does not change with what it was drawn from, and can be changed by nobody', () => {
    const groups = ['a']
    const boundary = drawBoundary('boundary.copied', { groups })
    groups.push('b')
    expect(boundaryOf('boundary.copied')).to.deep.equal({ groups: ['a'] })
    expect(Object.isFrozen(boundary)).to.equal(true)
    expect(boundary === 'internal' || Object.isFrozen(boundary.groups)).to.equal(true)
  })

  it('is the same for every copy of the package in the process, and no other value takes its place', () => {
    const key = Symbol.for('lahja.boundaries')
    const shared: unknown = Reflect.get(globalThis, key)
    if (!(shared instanceof Map)) expect.fail('expected a Map of boundaries')
    drawBoundary('boundary.shared', { groups: ['web'] })
    expect(shared.get('boundary.shared')).to.deep.equal({ groups: ['web'] })
    expect(Reflect.set(globalThis, key, new Map())).to.equal(false)
    expect(Object.keys(globalThis)).not.to.include(key)
    shared.set('boundary.shared.later', { groups: ['web', 'eu'] })
    expect(isWithinBoundary('boundary.shared.later', web)).to.equal(true)
    expect(isWithinBoundary('boundary.shared.later', loner)).to.equal(false)
    expect(drawBoundary('boundary.shared.later', { groups: ['eu', 'web'] })).to.deep.equal({ groups: ['eu', 'web'] })
  })

  it('of a kind that only another version of the package knows keeps its type inside', () => {
    const shared: unknown = Reflect.get(globalThis, Symbol.for('lahja.boundaries'))
    if (!(shared instanceof Map)) expect.fail('expected a Map of boundaries')
    shared.set('boundary.unknown.kind', { regions: ['eu'] })
    expect(boundaryOf('boundary.unknown.kind')).to.equal('internal')
    expect(isWithinBoundary('boundary.unknown.kind', web)).to.equal(false)
    shared.delete('boundary.unknown.kind')
  })

  const bad: Readonly<Record<string, unknown>> = {
    'another word': 'external',
    nothing: undefined,
    null: null,
    'a list': ['web'],
    'no groups': { groups: [] },
    'groups that are a string': { groups: 'web' },
    'groups that are a Set': { groups: new Set(['web']) },
    'a group that is no name': { groups: ['web', 'e u'] },
    'a group that is no string': { groups: ['web', 7] },
    'a hole in its groups': { groups: Object.assign(Array(2), { 0: 'web' }) },
    'one group alone': { group: 'web' },
  }

  for (const [what, value] of Object.entries(bad)) {
    it(`cannot be ${what}, and then none is drawn`, () => {
      expect(() => drawBoundary('boundary.bad', value)).to.throw(
        InvalidArgument,
        "boundary of boundary.bad: expected 'internal' or { groups: [names] }, got ",
      )
      expect(boundaryOf('boundary.bad')).to.equal(undefined)
    })
  }
})
