import { parseArgs } from 'node:util'

/** The number of rounds to play: `--rounds N`. Default: until Ctrl-C. */
export function roundsWanted(): number {
  const { values } = parseArgs({ options: { rounds: { type: 'string', default: 'Infinity' } } })
  const rounds = Number(values.rounds)
  if (rounds >= 1) return rounds
  console.error(`--rounds: expected a number from 1 up, got '${values.rounds}'`)
  process.exit(2)
}
