import { defineEvent } from 'lahja'

/** The bus of this example: a directory of sockets for the processes of one user. */
export const BUS = 'ping-pong'

export const Ping = defineEvent<{ round: number }>('ping')
export const Pong = defineEvent<{ round: number }>('pong')

/** Pong has started and receives every ping from now on. */
export const Ready = defineEvent('ready')
