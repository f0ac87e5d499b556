import { COMPARISON_OPTIONS, runComparison } from './comparison-program'
import { peersSuite } from './peers-suite'

const USAGE = `Usage: npm run bench:peers -- [options]

Compares lahja with a hand-written loop over sockets, ZeroMQ, NATS, Redis and the channel of child_process. All do the
same work and take turns in each round. Figures and ratios are medians of the rounds, with the minimum and the maximum.
A contender that is not installed is skipped, and the command that installs it is shown.

${COMPARISON_OPTIONS}`

runComparison('bench:peers', USAGE, peersSuite)
