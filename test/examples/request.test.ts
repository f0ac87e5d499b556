import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { programs } from '../support/program'
import { temporaryDirectory } from '../support/temporary-directory'

const ASKER = 'examples/request/asker.ts'
const TRANSLATOR = 'examples/request/translator.ts'

describe('examples/request', () => {
  const start = programs()
  const temporary = temporaryDirectory()
  const bus = () => join(temporary.path, 'bus')
  const run = (script: string, ...args: string[]) => start(script, args, { env: { LAHJA_DIRECTORY: bus() } })
  const linesOf = (stdout: string) => stdout.split('\n').filter((line) => !line.startsWith('waiting') && line !== '')

  const answers = ['gift: lahja', 'network: verkko', 'broker: translator says: there is no broker here']
  const questions = ['asker asks for gift', 'asker asks for network', 'asker asks for broker']

  const orders = [
    { first: ASKER, second: TRANSLATOR, waiting: 'waiting for somebody to ask' },
    { first: TRANSLATOR, second: ASKER, waiting: 'waiting for somebody who asks' },
  ]
  for (const { first, second, waiting } of orders) {
    it(`gets its answers and ends when ${first} is started first`, async () => {
      const early = run(first)
      await early.untilPrinted(waiting)
      const outcomes = await Promise.all([early.ended, run(second).ended])
      for (const { code, stderr } of outcomes) expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' })
      const [asker, translator] = first === ASKER ? outcomes : outcomes.toReversed()
      expect(linesOf(asker?.stdout ?? '')).to.deep.equal(answers)
      expect(linesOf(translator?.stdout ?? '')).to.deep.equal(questions)
      expect(readdirSync(join(bus(), 'request'))).to.deep.equal([])
    })
  }

  it('gets its answers and ends when both are started at once', async () => {
    const [asker, translator] = await Promise.all([run(ASKER).ended, run(TRANSLATOR).ended])
    expect(linesOf(asker.stdout)).to.deep.equal(answers)
    expect(linesOf(translator.stdout)).to.deep.equal(questions)
    expect([asker.code, translator.code]).to.deep.equal([0, 0])
  })

  it('translates the given words', async () => {
    const [asker] = await Promise.all([run(ASKER, 'event').ended, run(TRANSLATOR).ended])
    expect(linesOf(asker.stdout)).to.deep.equal(['event: tapahtuma'])
  })

  it('ends when the asker dies', async () => {
    const env = { LAHJA_DIRECTORY: bus() }
    const preload = join(__dirname, 'dying-endpoint.ts')
    const [translator, asker] = await Promise.all([run(TRANSLATOR).ended, start(ASKER, [], { env, preload }).ended])
    expect(asker.code).to.equal(null)
    expect(linesOf(translator.stdout)).to.deep.equal(questions.slice(0, 2))
    expect({ code: translator.code, stderr: translator.stderr }).to.deep.equal({ code: 0, stderr: '' })
  })
})
