import { format } from 'node:util'
import { expect } from 'chai'
import { debugLogOf } from '../../src/platform/debug-log'

describe('debugLogOf', () => {
  const lines: string[] = []
  const loggerThat = (enabled: boolean) =>
    Object.assign((...parts: unknown[]) => lines.push(format(...parts)), { enabled })
  beforeEach(() => {
    lines.length = 0
  })

  it('is undefined while the log is off', () => {
    expect(debugLogOf('shop', loggerThat(false))).to.equal(undefined)
  })

  it('writes each line with the name of the endpoint', () => {
    debugLogOf('shop', loggerThat(true))?.('till: link is up, 100%s')
    expect(lines).to.deep.equal(['shop: till: link is up, 100%s'])
  })

  it('replaces control characters, which could forge lines or command a terminal', () => {
    debugLogOf('shop', loggerThat(true))?.('goodbye: \u001b[2J\nshop: \u009b31m, café')
    expect(lines).to.deep.equal(['shop: goodbye: ?[2J?shop: ?31m, café'])
  })

  it('cuts long lines', () => {
    debugLogOf('shop', loggerThat(true))?.('x'.repeat(2 ** 20))
    expect(lines[0]).to.have.length(506)
  })
})
