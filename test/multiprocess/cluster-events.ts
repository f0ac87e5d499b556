import { defineEvent } from '../../src'

/** The endpoints of one cluster: its primary, a worker thread of the primary, and two cluster workers. */
export const MEMBERS = ['primary', 'thread', 'worker-1', 'worker-2']

/** A member is linked with all others. */
export const Ready = defineEvent('ready')

/** Makes its receiver broadcast a word. */
export const Speak = defineEvent('speak')

export const Word = defineEvent('word')

/** A member has received the word of another. */
export const Heard = defineEvent<{ readonly from: string }>('heard')

export const Stop = defineEvent('stop')
