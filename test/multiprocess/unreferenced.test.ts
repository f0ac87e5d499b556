import { expect } from 'chai'
import { freshBus, next, until } from '../support/bus'
import { programs } from '../support/program'

describe('Endpoint.unref', function () {
  this.timeout(20_000)
  const bus = freshBus()
  const run = programs()
  const start = (doing: string) => run('test/multiprocess/unreferenced.ts', [bus.directory, doing])

  it('lets the process end although the endpoint is open, and the peer is told', async () => {
    const other = await bus.start('other')
    const lost = next(other, 'lost')
    expect(await start('unref').ended).to.include({ code: 0, stdout: 'done', stderr: '' })
    expect(await lost).to.include({ name: 'unreferenced' })
  })

  it('keeps the process for a request that waits', async () => {
    const other = await bus.start('other')
    // Each answer shows that the process still runs, with nothing else to do than to wait for its own.
    other.respond('slow', async () => {
      for (let count = 0; count < 50; count++) await other.request('echo', count, { wait: 10_000 })
      return 'answer'
    })
    expect(await start('request').ended).to.include({ code: 0, stdout: 'answer', stderr: '' })
  })

  it('keeps the process until a close is done', async () => {
    const other = await bus.start('other')
    const left = next(other, 'left')
    expect(await start('close').ended).to.include({ code: 0, stdout: 'closed', stderr: '' })
    expect(await left).to.include({ name: 'unreferenced' })
  })

  for (const [title, doing, stdout] of [
    [
      'keeps the process for a request that waits for a responder, even without a timeout',
      'wait',
      'LAHJA_NO_SUBSCRIBERS',
    ],
    ['holds for a socket that is published again', 'republish', 'done'],
    [
      'leaves the process of an open endpoint alive while it can not publish its socket',
      'fail to republish',
      'published again',
    ],
  ] as const) {
    it(title, async () => {
      await bus.start('other')
      expect(await start(doing).ended).to.include({ code: 0, stdout, stderr: '' })
    })
  }

  it('is taken back by ref', async () => {
    const other = await bus.start('other')
    const program = start('ref')
    await until(() => other.isConnectedTo('unreferenced'))
    await other.close()
    expect(await program.ended).to.include({ code: 0, stdout: 'other left', stderr: '' })
  })
})
