import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { FAULTY_BROADCAST, type Outcome, type Program, type ProgramOptions, programs } from '../support/program'
import { temporaryDirectory } from '../support/temporary-directory'

const CENSUS = 'examples/census/census.ts'
const TEXT = join(__dirname, '..', '..', 'examples', 'census', 'text.txt')
const FRAME = 1024 * 1024
const DYING_COUNTER = join(__dirname, 'dying-counter.ts')

interface Row {
  readonly from: number
  readonly lines: number
  readonly words: number
  readonly check: string
}

describe('examples/census', () => {
  const start = programs()
  const temporary = temporaryDirectory()
  // One for all, since the compiler keeps its cache there.
  let scratch = ''
  before(() => {
    scratch = mkdtempSync(join(tmpdir(), 'lahja-'))
  })
  after(() => rmSync(scratch, { recursive: true, force: true }))

  const begin = (args: readonly string[], options: ProgramOptions = {}) =>
    start(CENSUS, args, { ...options, env: { TMPDIR: scratch, ...options.env } })

  /** Awaits the end of a run, and expects no leftovers. */
  async function end(census: Program): Promise<Outcome> {
    const outcome = await census.ended
    expect(readdirSync(scratch).filter((file) => file.startsWith('lahja-'))).to.deep.equal([])
    return outcome
  }

  const run = (args: readonly string[], options: ProgramOptions = {}) => end(begin(args, options))
  const read = async (text: string) => {
    const file = join(temporary.path, 'text')
    writeFileSync(file, text)
    return run(['--seconds', '0', file])
  }

  /** The rows of the table, by process. */
  function rowsIn(stdout: string): Record<string, Row> {
    const rows = [...stdout.matchAll(/^│ (\w+) +│(.*)│$/gm)].map(([, name = '', rest = '']) => {
      const [, , from = '', lines = '', words = '', check = ''] = rest.split('│').map((cell) => cell.trim())
      return [name, { from: count(from), lines: count(lines), words: count(words), check }] as const
    })
    return Object.fromEntries(rows.filter(([name]) => name !== 'process'))
  }

  /** The latecomer's first line depends on when it came; what it must have follows from that. */
  function expectRight(stdout: string, text: readonly string[], openings: readonly string[]): void {
    const rows = rowsIn(stdout)
    const from = rows.latecomer?.from ?? 0
    expect(from).to.be.within(2, Math.ceil(text.length / 2) + 1)
    const row = (first: number, lines: readonly string[]) => ({
      from: first,
      lines: lines.length,
      words: lines.flatMap((line) => line.split(/\s/)).filter((word) => word !== '').length,
      check: 'right',
    })
    expect(rows).to.deep.equal({
      reader: row(1, text),
      counter: row(1, text),
      indexer: row(text.indexOf(openings[0] ?? '') + 1, openings),
      latecomer: row(from, text.slice(from - 1)),
    })
    expect(stdout).to.contain('Everyone got what they had to get')
  }

  it('reads its own text by default, and shows which workers join, work and leave', async () => {
    const { code, stdout, stderr } = await run([], { compilesItself: true })
    expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' })
    const text = readFileSync(TEXT, 'utf8')
    const openings = text.split(/\n\n+/).map((paragraph) => paragraph.split('\n')[0] ?? '')
    expectRight(stdout, text.split('\n').slice(0, -1), openings)
    for (const name of ['reader', 'counter', 'indexer', 'latecomer']) {
      expect(stdout).to.match(new RegExp(`^${name} +joins the bus`, 'm'))
      expect(stdout).to.match(new RegExp(`^${name} +has (read|counted|noted|heard) `, 'm'))
      expect(stdout).to.match(new RegExp(`^${name} +is done, and leaves`, 'm'))
    }
    expect(stdout)
      .to.match(/^counter +sees latecomer join$/m)
      .and.match(/^latecomer +sees reader leave$/m)
    expect(stdout).not.to.contain('\x1b')
  })

  it('reads 20,000 lines', async () => {
    const text = Array.from({ length: 20_000 }, (_, index) =>
      index % 10 === 3 ? '' : `line ${index + 1}, word by word`,
    )
    const { code, stdout } = await read(`${text.join('\n')}\n`)
    expect(code).to.equal(0)
    expectRight(
      stdout,
      text,
      text.filter((_, index) => index === 0 || index % 10 === 4),
    )
  })

  it('ends with an empty file', async () => {
    const { code, stdout } = await read('')
    expect(code).to.equal(0)
    const nothing = { from: 0, lines: 0, words: 0, check: 'right' }
    const expected = { reader: nothing, counter: nothing, indexer: nothing, latecomer: nothing }
    expect(rowsIn(stdout)).to.deep.equal(expected)
  })

  it('reads standard input, with CRLF, blank and frame-sized lines, control characters and no last newline', async () => {
    const long = 'x'.repeat(FRAME - 100)
    const lines = ['a b', '', long, ' \t', 'one\u2028line', '\x1b[31mred', 'ä €', 'the end']
    const { code, stdout } = await run(['--seconds', '0', '-'], { input: lines.join('\r\n') })
    expect(code).to.equal(0)
    const line = (number: number) => lines[number - 1] ?? ''
    expectRight(stdout, lines, [line(1), line(3), line(5)])
    expect(stdout).not.to.contain('\x1b').and.not.to.contain('\u2028')
  })

  it('reports the line that is too long for a frame, and all endpoints leave', async () => {
    const { code, stdout, stderr } = await read(`short\n${'x'.repeat(FRAME)}\nnever read\n`)
    expect(code).to.equal(2)
    expect(stdout).to.match(
      /^reader +line 2 is too long: .* takes \d+ bytes encoded, but limits\.frameBytes is 1048576; .+$/m,
    )
    expect(stdout).to.match(/^counter +the reader has gone before the end of the text$/m)
    expect(stderr).to.equal('census: the reader has failed, with exit code 2\n')
    expect(rowsIn(stdout)).to.deep.equal({})
  })

  for (const [what, name] of [
    ['a missing file', 'no-such-file'],
    ['a directory', '.'],
  ] as const) {
    it(`reports that ${what} cannot be read as text`, async () => {
      const { code, stdout, stderr } = await run([join(temporary.path, name)])
      expect({ code, stdout }).to.deep.equal({ code: 2, stdout: '' })
      expect(stderr).to.match(/^census: expected a text, got .+\n$/)
    })
  }

  for (const args of [['one', 'two'], ['--seconds', 'x'], ['--unknown']]) {
    it(`prints its usage for the arguments ${args.join(' ')}`, async () => {
      const { code, stdout, stderr } = await run(args)
      expect({ code, stdout }).to.deep.equal({ code: 2, stdout: '' })
      expect(stderr).to.contain('Usage: npm start')
    })
  }

  it('reports which counter is wrong', async () => {
    const { code, stdout } = await run(['--seconds', '0'], { preload: FAULTY_BROADCAST })
    expect(code).to.equal(1)
    const { reader, counter } = rowsIn(stdout)
    expect(reader?.check).to.equal('right')
    expect(counter?.check).to.match(/^WRONG: not the 224 lines from 1 on/)
    expect(stdout).to.contain('WRONG: not everyone got what they had to get')
  })

  it('fails when one of four counters dies, after the others finish', async () => {
    const { code, stdout, stderr } = await run(['--seconds', '0'], { preload: DYING_COUNTER })
    expect({ code, stderr }).to.deep.equal({ code: 1, stderr: 'census: the counter has failed, with exit code 1\n' })
    expect(stdout)
      .to.match(/^reader +has lost counter/m)
      .and.match(/^latecomer +is done, and leaves/m)
  })

  it('cleans up when interrupted', async () => {
    const census = begin(['--seconds', '60'])
    await census.untilPrinted('latecomer  joins')
    census.signal('SIGINT')
    const { code, stderr } = await end(census)
    expect({ code, stderr }).to.deep.equal({ code: 1, stderr: 'census: interrupted by SIGINT\n' })
  })
})

function count(cell: string): number {
  return cell === '-' ? 0 : Number(cell.replaceAll(',', ''))
}
