import { COMPARISON_OPTIONS, runComparison } from './comparison-program'
import { shapesSuite } from './shapes-suite'

const USAGE = `Usage: npm run bench:shapes -- [options]

Compares lahja with hand-written loops over sockets, one of which describes the shape of an object once, on every kind of payload
that the bench has. All do the same work and take turns in each round. Figures and ratios are medians of the rounds, with the
minimum and the maximum.

${COMPARISON_OPTIONS}`

runComparison('bench:shapes', USAGE, shapesSuite)
