import { defineRequest } from 'lahja'

/** The bus of the two: a directory with sockets, shared by all processes of one user. */
export const BUS = 'request'

/** The names of the two on the bus. */
export const ASKER = 'asker'
export const TRANSLATOR = 'translator'

/** Asks for the Finnish word for an English one. */
export const Translate = defineRequest<string, string>('translate')
