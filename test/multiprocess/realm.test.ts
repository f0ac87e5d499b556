import { expect } from 'chai'
import { programs } from '../support/program'
import { temporaryDirectory } from '../support/temporary-directory'

describe('a program in a realm of its own, as in jest', function () {
  this.timeout(20_000)
  const run = programs()
  const directory = temporaryDirectory()

  it('starts endpoints, and sends values of its own and of the main realm', async () => {
    const { code, stdout, stderr } = await run('test/multiprocess/realm.ts', [directory.path]).ended
    expect(stderr).to.equal('')
    expect(code).to.equal(0)
    const date = new Date(5).toJSON()
    const bytes = Buffer.from('ab').toJSON()
    expect(JSON.parse(stdout)).to.deep.equal({
      payloads: [
        { a: date },
        [1],
        { name: 'Error', message: 'no' },
        bytes,
        [bytes],
        { list: [Buffer.from([1]).toJSON()], text: 'x'.repeat(1000) },
        { a: date },
        { name: 'TypeError', message: 'no', code: 'E' },
        { a: [[1]] },
      ],
      answer: { bytes, map: { 1: 2 } },
      refused: "the payload can't be sent: payload[0] is a promise; await it",
      unusable: 'LAHJA_DIRECTORY_REFUSED',
    })
  })
})
