import { expect } from 'chai'
import { programs } from '../support/program'
import { temporaryDirectory } from '../support/temporary-directory'

const SECRET = 'open sesame'

describe('NODE_DEBUG', () => {
  const run = programs()
  const directory = temporaryDirectory()

  /** The lines that two linked endpoints, and one that is refused, print to standard error. */
  async function linesWith(env: Readonly<Record<string, string>>) {
    const outcome = await run('test/multiprocess/debugged.ts', [directory.path, SECRET], { env }).ended
    expect(outcome.code, outcome.stderr).to.equal(0)
    const [shop = '', till = '', visitor = ''] = JSON.parse(outcome.stdout)
    return { lines: outcome.stderr.split('\n').filter((line) => line !== ''), shop, till, visitor }
  }

  it('logs dials, handshakes, links and refusals with endpoint, peer and reason if it includes lahja', async () => {
    const { lines, shop, till, visitor } = await linesWith({ NODE_DEBUG: 'lahja' })
    for (const line of lines)
      expect(line).to.match(/^LAHJA \d+: (shop|till|visitor): ((shop|till|visitor)~\w{13}|unknown peer|joins|has left)/)
    const texts = lines.map((line) => line.replace(/^LAHJA \d+: /, ''))
    for (const name of ['shop', 'till', 'visitor']) {
      const own = texts.filter((line) => line.startsWith(`${name}: `))
      expect(own.at(0)).to.equal(`${name}: joins ${directory.path}`)
      expect(own.at(-1)).to.equal(`${name}: has left ${directory.path}`)
    }
    expect(texts).to.include.members([
      `till: shop~${shop}: dialling`,
      `till: shop~${shop}: connected`,
      `till: shop~${shop} (dialled): handshake begins`,
      'shop: unknown peer (incoming): handshake begins',
      `shop: till~${till} (incoming): identified`,
      `till: shop~${shop} (dialled): link is up`,
      `shop: till~${till} (incoming): link is up`,
    ])
    const text = `visitor~${visitor} has no secret and this endpoint has one; start both with the same`
    expect(texts).to.include.members([
      `shop: visitor~${visitor} (incoming): sent goodbye unauthenticated: ${text}`,
      `shop: visitor~${visitor} (incoming): link closed, refused: ${text}`,
      `visitor: shop~${shop} (dialled): received goodbye unauthenticated: ${text}`,
    ])
    expect(texts.join('\n')).not.to.include(SECRET)
  })

  it('logs nothing if it is empty or names another module', async () => {
    for (const env of [{ NODE_DEBUG: '' }, { NODE_DEBUG: 'other' }]) {
      expect((await linesWith(env)).lines).to.deep.equal([])
    }
  })
})
