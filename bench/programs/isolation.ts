import { isolationAgenda } from '../measure/isolation-suite'
import { COMPARISON_OPTIONS, runComparison } from './comparison-program'

const USAGE = `Usage: npm run bench:isolation -- [options]

What a fast consumer notices of another that is stopped (SIGSTOP) for ten seconds: the time that 99 of 100 events need
to reach it, beside how long they need without the other one, in turns.

${COMPARISON_OPTIONS}`

runComparison('bench:isolation', USAGE, isolationAgenda)
