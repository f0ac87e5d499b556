import { defineEvent } from 'lahja'

/** The bus of this example: a directory of sockets for the processes of one user. */
export const BUS = 'work-queue'

/** The name of the endpoint that hands out the jobs. */
export const GIVER = 'giver'

/** The queue whose members share the jobs. */
export const COUNTERS = 'counters'

/** A job: count the lines of a file. It may be done twice, so it is done again if its worker dies. */
export const CountLines = defineEvent<{ path: string }>('lines.count', { redeliver: 3 })

/** The result of a job. */
export const LinesCounted = defineEvent<{ path: string; lines: number }>('lines.counted')
