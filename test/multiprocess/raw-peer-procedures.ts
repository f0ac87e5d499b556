import * as v from 'valibot'
import { nothing, procedure } from './procedure'

const target = { directory: v.string(), name: v.string(), id: v.string() }

/** Connects to an endpoint's socket. */
export const dial = procedure('dial', v.object(target), nothing)

/** Publishes a socket file, and sends the same bytes, given in hexadecimal digits, to each dialler. */
export const listen = procedure('listen', v.object({ ...target, greeting: v.string() }), nothing)

/** How many connections the socket has accepted. */
export const dials = procedure('dials', nothing, v.number())

/** Writes bytes, given in hexadecimal digits. */
export const write = procedure('write', v.string(), nothing)

/** All messages received on the newest connection, encoded, in hexadecimal digits. */
export const heard = procedure('heard', nothing, v.object({ bytes: v.string(), isClosed: v.boolean() }))
