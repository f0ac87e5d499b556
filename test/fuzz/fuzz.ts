import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { fuzz } from './fuzzer'
import { Watchdog } from './watchdog'

/** The directory for failing streams. */
const FINDINGS = join(__dirname, 'findings')

/** Milliseconds between two lines of progress. */
const REPORT = 30_000

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { seconds: { type: 'string' }, seed: { type: 'string' } } })
  const seconds = Number(values.seconds ?? 60)
  const seed = Number(values.seed ?? Date.now() % 2 ** 32)
  console.log(`seed ${seed}, ${seconds} s`)
  setFlagsFromString('--expose-gc')
  const collect: unknown = runInNewContext('gc')
  const watchdog = new Watchdog()
  const began = performance.now()
  let reported = began
  let findings = 0
  const cases = await fuzz({
    seed,
    goesOn(cases) {
      const now = performance.now()
      if (now - reported > REPORT) {
        reported = now
        const megabytes = Math.round(process.memoryUsage.rss() / 2 ** 20)
        console.log(`${Math.round((now - began) / 1000)} s: ${cases} cases, ${findings} findings, RSS ${megabytes} MiB`)
      }
      return now - began < seconds * 1000
    },
    begins: (stream) => watchdog.begins(stream),
    found(finding, stream, number) {
      findings++
      console.error(`case ${number}: ${finding.message}`, finding.cause ?? '')
      mkdirSync(FINDINGS, { recursive: true })
      writeFileSync(join(FINDINGS, `${seed}-${number}.hex`), `# ${finding.message}\n${stream.toString('hex')}\n`)
    },
    ...(typeof collect === 'function' && { collect: () => collect() }),
  })
  await watchdog.stop()
  console.log(`${cases} cases, ${findings} findings`)
  process.exitCode = findings > 0 ? 1 : 0
}

void main()
