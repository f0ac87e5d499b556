import { defineEvent } from 'lahja'

/** The bus of the three: a directory with sockets, shared by all processes of one user. */
export const BUS = 'work-queue'

/** The name of the one who hands out the jobs. */
export const GIVER = 'giver'

/** Whoever subscribes as a member of this queue takes part in the work. */
export const COUNTERS = 'counters'

/** A job: to count the lines of a file. */
export const CountLines = defineEvent<{ path: string }>('lines.count')

/** What came of it. */
export const LinesCounted = defineEvent<{ path: string; lines: number }>('lines.counted')
