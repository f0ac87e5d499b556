import { COMPARISON_OPTIONS, runComparison } from './comparison-program'
import { isolationSuite } from './isolation-suite'

const USAGE = `Usage: npm run bench:isolation -- [options]

Measures how a stopped consumer (SIGSTOP for ten seconds) affects a fast one: the p99 latency of the fast consumer beside
the stopped one, compared with its p99 alone. And how a sender at full speed affects a polite one that has the same receiver. All
take turns in each round.

${COMPARISON_OPTIONS}`

runComparison('bench:isolation', USAGE, isolationSuite)
