import { defineEvent } from 'lahja'
import type { Line } from './text'

/** The names of the four endpoints. */
export const READER = 'reader'
export const COUNTER = 'counter'
export const INDEXER = 'indexer'
export const LATECOMER = 'latecomer'

/** A line of the text. Lines are sent in order. */
export const LineRead = defineEvent<Line>('census.line')

/** There are no more lines. */
export const TextEnded = defineEvent('census.end')
