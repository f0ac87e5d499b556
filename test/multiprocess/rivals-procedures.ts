import * as v from 'valibot'
import { command, nothing, procedure } from './procedure'

/** All rivals claim the name at once; answers with each outcome: `won`, or an error code. */
export const contest = procedure('contest', nothing, v.array(v.string()))

/** The winner closes. */
export const release = command('release')
