import { coldSuite } from './cold-suite'
import { COMPARISON_OPTIONS, runComparison } from './comparison-program'

const USAGE = `Usage: npm run bench:cold -- [options]

Compares the first 100,000 and the first 600,000 events of new processes with those of a hand-written loop over sockets, on
every kind of payload that the bench has. Nothing is sent to warm up. All take turns in each round. Figures and ratios are
medians of the rounds, with the minimum and the maximum.

${COMPARISON_OPTIONS}`

runComparison('bench:cold', USAGE, coldSuite)
