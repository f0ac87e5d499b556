import { listOf, nothing, text } from './parse'
import type { Procedure } from './procedure'

/** All rivals claim the name at once; answers how that ended for each: `won`, or a code. */
export const contest: Procedure<void, string[]> = { name: 'contest', argument: nothing, answer: listOf(text) }

/** Who has won closes. */
export const release: Procedure<void, void> = { name: 'release', argument: nothing, answer: nothing }
