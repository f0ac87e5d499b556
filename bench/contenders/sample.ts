import { defineEvent } from 'lahja'

/** What is broadcast. */
export const Sample = defineEvent<unknown>('bench.sample')
