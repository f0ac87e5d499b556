import { defineRequest } from 'lahja'

/** The bus of this example: a directory of sockets for the processes of one user. */
export const BUS = 'request'

/** The names of the two endpoints. */
export const ASKER = 'asker'
export const TRANSLATOR = 'translator'

/** Asks for the Finnish word for an English one. */
export const Translate = defineRequest<string, string>('translate')
