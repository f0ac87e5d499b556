import { agendaOf } from '../measure/peers-suite'
import { COMPARISON_OPTIONS, runComparison } from './comparison-program'

const USAGE = `Usage: npm run bench:peers -- [options]

Compares the bus with what one would use instead: a loop over sockets written by hand, ZeroMQ, NATS, Redis and the
channel of child_process. The same work, in rounds that take turns; ratios are medians of the rounds, with the least and
the most of them. Whoever is not installed is skipped, and the command that installs it is shown.

${COMPARISON_OPTIONS}`

runComparison('bench:peers', USAGE, agendaOf)
