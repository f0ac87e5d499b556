import { defineEvent } from 'lahja'

/** The bus of the two: a directory with sockets, shared by all processes of one user. */
export const BUS = 'ping-pong'

export const Ping = defineEvent<{ round: number }>('ping')
export const Pong = defineEvent<{ round: number }>('pong')

/** Pong is there, and hears every ping from now on. */
export const Ready = defineEvent('ready')
