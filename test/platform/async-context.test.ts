import { createHook } from 'node:async_hooks'
import { expect } from 'chai'
import { inContext } from '../../src/platform/async-context'

describe('inContext', () => {
  it('makes no resource that looks like an open handle', () => {
    const resources: object[] = []
    const hook = createHook({ init: (_id, _type, _trigger, resource) => void resources.push(resource) }).enable()
    try {
      inContext(() => {})(undefined)
    } finally {
      hook.disable()
    }
    expect(resources.length).to.be.greaterThan(0)
    // As the option --detectOpenHandles of jest looks at them.
    const open = resources.filter((resource) => !('hasRef' in resource) || Object(resource).hasRef())
    expect(open).to.deep.equal([])
  })
})
