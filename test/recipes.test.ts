import { execFile } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { ModuleKind, ScriptTarget, transpileModule } from 'typescript'
import { Endpoint } from '../src'
import { until } from './multiprocess/until'
import { anchorsOf } from './support/anchors'
import { codeBlocksIn } from './support/code-blocks'
import { type Program, programs } from './support/program'
import { rejectionCode } from './support/rejection'
import { temporaryDirectory } from './support/temporary-directory'

const ROOT = join(__dirname, '..')
const PAGE = join(ROOT, 'docs', 'recipes.md')
const page = readFileSync(PAGE, 'utf8')

const COMPILER_OPTIONS = { module: ModuleKind.ESNext, target: ScriptTarget.ES2022 }

/** A file of the page that is no program. */
function fileCalled(name: string, language: string): string {
  return codeBlocksIn('docs/recipes.md', language).find(({ title }) => title === name)?.code ?? expect.fail(name)
}

interface State {
  readonly run: string
  readonly version: number
  readonly prices: Readonly<Record<string, number>>
}

/** The states that the board has shown. */
function statesOf({ stdout }: Program): readonly State[] {
  return stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line))
}

describe('docs/recipes.md', () => {
  let project = ''
  const start = programs()
  const temporary = temporaryDirectory()
  const directory = () => join(temporary.path, 'bus')
  const open: Endpoint[] = []

  before(() => {
    project = mkdtempSync(join(tmpdir(), 'lahja-'))
    mkdirSync(join(project, 'node_modules'))
    symlinkSync(ROOT, join(project, 'node_modules', 'lahja'))
    for (const { title, code } of codeBlocksIn('docs/recipes.md', 'ts')) write(title, code)
  })
  after(() => rmSync(project, { recursive: true }))
  afterEach(() => Promise.all(open.splice(0).map((endpoint) => endpoint.close())))

  function write(file: string, code: string): void {
    const { outputText } = transpileModule(code, { compilerOptions: COMPILER_OPTIONS })
    writeFileSync(join(project, file.replace('.mts', '.mjs')), outputText)
  }

  function run(script: string, ...args: readonly string[]): Program {
    return start(`${script}.mjs`, args, { cwd: project, env: { LAHJA_DIRECTORY: directory() } })
  }

  async function joining(name: string): Promise<Endpoint> {
    const endpoint = await Endpoint.start({ name, directory: directory() })
    open.push(endpoint)
    return endpoint
  }

  /** What a program has printed that ends by itself. */
  async function successOf(program: Program): Promise<string> {
    const { code, stdout, stderr } = await program.ended
    expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' })
    return stdout
  }

  /** Ends a program as a supervisor does. */
  function end(program: Program): Promise<string> {
    program.signal('SIGTERM')
    return successOf(program)
  }

  it('acknowledges every job although the process that does them is killed', async () => {
    const first = run('resizer')
    await first.untilPrinted('ready')
    const ids = Array.from({ length: 40 }, (_, index) => `job-${index}`)
    const submit = run('submit', ...ids)
    await until(() => existsSync(join(project, 'job-0.done')))
    first.signal('SIGKILL')
    await first.ended
    const second = run('resizer')
    expect(await successOf(submit)).to.equal(ids.map((id) => `${id}.done\n`).join(''))
    for (const id of ids) expect(existsSync(join(project, `${id}.done`)), id).to.equal(true)
    await second.untilPrinted('ready')
    await end(second)
  })

  it('shares jobs among workers as they are free, and gives those of a killed one out again', async () => {
    const [slow, fast] = [run('cook', '600000'), run('cook', '1')]
    await Promise.all([slow, fast].map((cook) => cook.untilPrinted('ready')))
    const waiter = run('waiter')
    await slow.untilPrinted('cooks')
    slow.signal('SIGKILL')
    await slow.ended
    const [, dish = ''] = /cooks (\d+)/.exec(slow.stdout) ?? []
    expect(await successOf(waiter)).to.equal(`again ${dish}\n`)
    const cooked = [...(await end(fast)).matchAll(/cooks (\d+)/g)].map(([, cooked]) => Number(cooked))
    expect(cooked.sort((one, other) => one - other)).to.deep.equal(Array.from({ length: 20 }, (_, index) => index + 1))
  })

  it('keeps an event until the queue has a member', async () => {
    const gallery = run('gallery')
    await gallery.untilPrinted('images wait')
    const scaler = run('scaler')
    expect(await successOf(gallery)).to.equal('3 images wait\n')
    expect(await end(scaler)).to.equal("{ path: '1.png' }\n{ path: '2.png' }\n{ path: '3.png' }\n")
  })

  it('handles every event once while workers are replaced', async () => {
    const giver = await joining('giver')
    const errors: unknown[] = []
    giver.on('error', (error) => errors.push(error))
    const rollout = run('rollout')
    await rollout.untilPrinted('started')
    let sent = 0
    while (!rollout.stdout.includes('replaced')) {
      if (sent === 20) rollout.signal('SIGHUP')
      await giver.broadcast('order.placed', { id: sent++ }, { requireSubscriber: true })
      await setTimeout(5)
    }
    // The new one alone.
    await giver.broadcast('order.placed', { id: sent++ }, { requireSubscriber: true })
    const counts = [...(await end(rollout)).matchAll(/handled (\d+)/g)].map(([, count]) => Number(count))
    expect(counts).to.have.length(2)
    expect(Math.min(...counts)).to.be.greaterThan(0)
    expect(counts.reduce((sum, count) => sum + count)).to.equal(sent)
    expect(errors).to.deep.equal([])
  })

  it('hands a name from one process to the next', async () => {
    const first = run('service')
    await first.untilPrinted('serving as')
    const urgent = await run('service', '--now').ended
    expect(urgent.code).to.equal(75)
    expect(urgent.stderr).to.contain(`process ${first.pid}`)
    const env = { LAHJA_DIRECTORY: directory(), NODE_DEBUG: 'lahja' }
    const second = start('service.mjs', [], { cwd: project, env })
    await second.untilPrinted('received goodbye name-in-use')
    const before = await end(first)
    await second.untilPrinted('serving as')
    second.signal('SIGTERM')
    const { code, stdout } = await second.ended
    expect(code).to.equal(0)
    expect(stdout).not.to.equal(before)
  })

  it('gives a late joiner every state of a process that restarts', async () => {
    const first = run('ticker')
    const board = run('board')
    await until(() => statesOf(board).length >= 20)
    await end(first)
    const count = statesOf(board).length
    const second = run('ticker')
    await until(() => statesOf(board).length >= count + 20)
    await end(board)
    await end(second)
    let last: State = { run: '', version: 0, prices: {} }
    for (const state of statesOf(board)) {
      const { run, version, prices } = state
      if (run === last.run) expect(version).to.equal(last.version + 1)
      // The nth change sets one of two prices to n - 1.
      const [even, odd] = version % 2 === 1 ? [version - 1, version - 2] : [version - 2, version - 1]
      expect(prices).to.deep.equal(version > 1 ? { even, odd } : version === 1 ? { even } : {})
      last = state
    }
    expect(new Set(statesOf(board).map(({ run }) => run)).size).to.equal(2)
  })

  it('shows on a dashboard what happened to each endpoint', async () => {
    write(
      'till.mts',
      `import { Endpoint } from 'lahja'
      import { observe } from './observe.mjs'
      const endpoint = await Endpoint.start({ name: 'till' })
      observe(endpoint, console.log)
      endpoint.subscribe('sale', () => { throw new RangeError('no change') })
      process.on('SIGTERM', () => void endpoint.close())
      console.log('ready')`,
    )
    const till = run('till')
    await till.untilPrinted('ready')
    const shop = await joining('shop')
    await till.untilPrinted(`joined shop ${process.pid}`)
    await shop.broadcast('sale', 1)
    await till.untilPrinted('error LAHJA_HANDLER_ERROR')
    const scaler = run('scaler')
    await till.untilPrinted('joined scaler-')
    scaler.signal('SIGKILL')
    await till.untilPrinted('lost scaler-')
    const seen = await successOf(run('dashboard'))
    expect(seen).to.match(/^till \{"joined":3,"error":1,"lost":1\}$/m)
    expect(seen).to.match(/^till to shop: connected, 0 B queued, 0 dropped, waited 0 ms$/m)
    await shop.close()
    await till.untilPrinted('left shop 0 0')
    const printed = await end(till)
    expect(printed).to.match(/^lost scaler-\w+ LAHJA_CONNECTION_FAILED 0 0 0$/m)
  })

  it('tests code with fake timers, in words that each framework has its own for', async () => {
    const { code, stdout } = await run('billing.test').ended
    expect(code, stdout).to.equal(0)
    expect(stdout).to.match(/pass 2\n\S+ fail 0/)
    const test = fileCalled('billing.test.mts', 'ts')
    const rows = [...page.matchAll(/^\| (?:import|fake timers|time passes|real timers) \| `(.+?)` \|/gm)]
    expect(rows).to.have.length(4)
    for (const [, word = ''] of rows) expect(test).to.contain(word)
  })

  it('shares a volume among containers that have the same user', async () => {
    const compose = fileCalled('compose.yaml', 'yaml')
    const inside = new Set([...compose.matchAll(/LAHJA_DIRECTORY: (\S+) /g)].map(([, path = '']) => path))
    const mounts = new Set([...compose.matchAll(/volumes: \['bus:(.+)'\]/g)].map(([, path = '']) => path))
    expect([...inside].map(dirname)).to.deep.equal([...mounts])
    const volume = join(temporary.path, 'volume')
    mkdirSync(volume)
    chmodSync(volume, Number.parseInt(/mode=(\d+)/.exec(compose)?.[1] ?? '', 8))
    const path = join(volume, basename([...inside].join()))
    const shop = await Endpoint.start({ name: 'shop', directory: path })
    open.push(shop)
    expect(statSync(path).mode & 0o777).to.equal(0o700)
    expect(await rejectionCode(Endpoint.start({ name: 'shop', directory: volume }))).to.equal('LAHJA_DIRECTORY_REFUSED')
  })

  it('reaches a service of systemd from a cron job', async () => {
    const here = (text: string) => {
      return text
        .replaceAll('/usr/bin/node', process.execPath)
        .replaceAll('/srv/shop', project)
        .replaceAll('/run/shop-bus', directory())
    }
    const unit = fileCalled('/etc/systemd/system/shop.service', 'ini')
    const [, set = ''] = /^Environment=(.+)$/m.exec(unit) ?? []
    expect(set).to.equal(`LAHJA_DIRECTORY=/run/${/^RuntimeDirectory=(.+)$/m.exec(unit)?.[1]}`)
    const [variable = '', job = ''] = fileCalled('/etc/cron.d/shop', 'sh').split('\n')
    expect(variable).to.equal(set)
    const [, user, command = ''] = /^(?:\S+ ){5}(\S+) (.+)$/.exec(job) ?? []
    expect(user).to.equal(/^User=(.+)$/m.exec(unit)?.[1])
    const [, service = ''] = /^ExecStart=(.+)$/m.exec(unit) ?? []
    expect(existsSync(here(service).split(' ')[1] ?? '')).to.equal(true)
    const accounts = await joining('accounts')
    const closed = accounts.waitFor('day.closed')
    await promisify(execFile)('env', ['-i', here(variable), '/bin/sh', '-c', here(command)])
    expect((await closed).origin).to.match(/^notify-/)
  })

  it('tells by an exit code whether somebody was there', async () => {
    const { code, stderr } = await run('notify', 'order.placed', '{"id":1}').ended
    expect(code).to.equal(3)
    expect(stderr).to.contain('order.placed')
  })

  it('leads nowhere that does not exist', () => {
    for (const [, file = '', anchor] of page.matchAll(/\]\(([\w./-]*)(?:#([\w-]+))?\)/g)) {
      const target = file === '' ? PAGE : join(dirname(PAGE), file)
      expect(existsSync(target), target).to.equal(true)
      if (anchor !== undefined) expect(anchorsOf(readFileSync(target, 'utf8')), file).to.include(anchor)
    }
  })
})
