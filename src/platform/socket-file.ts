import { closeSync, constants, fstatSync, lstatSync, openSync, type Stats, unlinkSync } from 'node:fs'
import { connect } from 'node:net'
import { asError, codeOf } from '../model/thrown'
import { isForeign, isOurs, refused } from './directory-trust'
import { ReadBuffer } from './read-buffer'
import { SocketConnection } from './socket-connection'
import type { DialOutcome, SocketInfo } from './transport'

/** A descriptor of the file at a path, even a link or a socket, without opening it (open(2)). Node has no `O_PATH`. */
const O_PATH_NOFOLLOW = 0o10000000 | constants.O_NOFOLLOW

/** Codes of errors by which the system says that it has nothing left for this process. */
const EXHAUSTED: readonly unknown[] = ['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM']

/** Whether a call has failed as the system has nothing left for this process. */
export function isExhaustion(error: unknown): boolean {
  return EXHAUSTED.includes(codeOf(error))
}

/**
 * The file at a path; links are not followed. Undefined if there is none or it can't be read. Synchronous, like all work
 * on the directory: starting a thread pool takes longer than the calls, and bind(2) and connect(2) run on this thread too.
 */
export function tryLstat(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false })
  } catch {
    return undefined
  }
}

/** The socket at a path. Undefined if there is none. */
export function inspectSocket(path: string): SocketInfo | undefined {
  const stats = tryLstat(path)
  return stats?.isSocket() ? { key: `${stats.dev}:${stats.ino}`, isForeign: isForeign(stats) } : undefined
}

/**
 * Connects to the socket at a path. Links are not followed.
 *
 * @param isShared can other users replace the file between the check and the dial? Ruling that out takes twice as long
 */
export async function dialSocket(path: string, isShared: boolean): Promise<DialOutcome> {
  if (isShared && process.platform === 'linux') return dialThroughDescriptor(path)
  return tryLstat(path)?.isSocket() ? connectTo(path) : { kind: 'absent' }
}

/**
 * Removes the file at a path if it is a socket and `isExpected` returns true.
 *
 * @throws DirectoryRefused
 */
export function removeSocket(path: string, isExpected: (stats: Stats) => boolean = () => true): void {
  const stats = tryLstat(path)
  if (!stats?.isSocket() || !isExpected(stats)) return
  try {
    unlinkSync(path)
  } catch (error) {
    // In a shared directory, only its owner can remove the socket of another user.
    if (codeOf(error) === 'ENOENT' || !isOurs(stats)) return
    throw refused(path, "can't be removed", 'check the permissions of its directory', error)
  }
}

/** The file at a path may be replaced between the check and the dial; the file of a descriptor can't. */
async function dialThroughDescriptor(path: string): Promise<DialOutcome> {
  const descriptor = openPath(path)
  if (typeof descriptor === 'object') return descriptor
  try {
    if (!fstatSync(descriptor).isSocket()) return { kind: 'absent' }
    const outcome = await connectTo(`/proc/self/fd/${descriptor}`, path)
    // This path exists wherever /proc is mounted.
    return outcome.kind === 'absent' ? await connectTo(path) : outcome
  } finally {
    closeSync(descriptor)
  }
}

/** @param named the path in an error */
function connectTo(path: string, named = path): Promise<DialOutcome> {
  return new Promise((resolve) => {
    const reads = new ReadBuffer()
    const socket = connect({ path, allowHalfOpen: true, onread: reads })
    socket.pause()
    socket.once('error', (cause) => resolve(outcomeOf(cause, named)))
    socket.once('connect', () => resolve({ kind: 'connected', connection: new SocketConnection(socket, reads) }))
  })
}

/** A descriptor, or the outcome of the dial if there is none. */
function openPath(path: string): number | DialOutcome {
  try {
    return openSync(path, O_PATH_NOFOLLOW)
  } catch (thrown) {
    const cause = asError(thrown)
    return isExhaustion(cause) ? { kind: 'exhausted', cause } : { kind: 'absent' }
  }
}

function outcomeOf(cause: Error, path: string): DialOutcome {
  switch (codeOf(cause)) {
    case 'ECONNREFUSED':
      return { kind: 'dead' }
    case 'ENOENT':
      return { kind: 'absent' }
    case 'EACCES':
    case 'EPERM':
      return { kind: 'denied', cause: refused(path, "can't be dialled", 'check the permissions of the socket', cause) }
    default:
      return { kind: isExhaustion(cause) ? 'exhausted' : 'busy', cause }
  }
}
