import { closeSync, constants, fstatSync, lstatSync, openSync, type Stats, unlinkSync } from 'node:fs'
import { connect } from 'node:net'
import { asError, codeOf } from '../model/errors'
import { isForeign, isOurs, refused } from './directory-trust'
import { SocketConnection } from './socket-connection'
import type { DialOutcome } from './transport'

/**
 * `O_PATH | O_NOFOLLOW` of Linux: a handle of what stands at the path itself, a link or a socket, without opening it
 * (open(2); Node has no name for the first).
 */
const O_PATH_NOFOLLOW = 0o10000000 | constants.O_NOFOLLOW

const OUT_OF_DESCRIPTORS: readonly unknown[] = ['EMFILE', 'ENFILE']

/**
 * What stands at a path itself, if that can be told. On this thread, like all work on the directory: bind(2) and
 * connect(2) go through it here too, and to have a thread look takes a pool of threads and longer than the look.
 */
export function tryLstat(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false })
  } catch {
    return undefined
  }
}

/**
 * Connects to the socket at a path; to nothing else, and to nothing that a link leads to.
 *
 * @param isShared whether others can put something else at the path meanwhile; to rule that out takes twice as long
 */
export async function dialSocket(path: string, isShared: boolean): Promise<DialOutcome> {
  if (isShared && process.platform === 'linux') return dialThroughDescriptor(path)
  const stats = tryLstat(path)
  return stats?.isSocket() ? withOwner(await connectTo(path), stats) : { kind: 'absent' }
}

/**
 * Removes the socket at a path, if that is what is there and what is meant.
 *
 * @throws DirectoryRefused
 */
export function removeSocket(path: string, isMeant: (stats: Stats) => boolean = () => true): void {
  const stats = tryLstat(path)
  if (!stats?.isSocket() || !isMeant(stats)) return
  try {
    unlinkSync(path)
  } catch (error) {
    // In a directory that a group shares, the file of another user's is that user's to remove.
    if (codeOf(error) === 'ENOENT' || !isOurs(stats)) return
    throw refused(path, 'expected to remove it', error)
  }
}

/** The path may come to stand for something else between the look and the dial, but the handle can't. */
async function dialThroughDescriptor(path: string): Promise<DialOutcome> {
  const descriptor = openPath(path)
  if (typeof descriptor === 'object') return descriptor
  try {
    const stats = fstatSync(descriptor)
    if (!stats.isSocket()) return { kind: 'absent' }
    const outcome = await connectTo(`/proc/self/fd/${descriptor}`)
    // Only where /proc isn't mounted is there nothing of that name.
    return withOwner(outcome.kind === 'absent' ? await connectTo(path) : outcome, stats)
  } finally {
    closeSync(descriptor)
  }
}

/** An outcome that says nothing for certain, with whose socket it is about. */
function withOwner(outcome: DialOutcome, stats: Stats): DialOutcome {
  return outcome.kind === 'connected' || outcome.kind === 'busy' ? { ...outcome, isForeign: isForeign(stats) } : outcome
}

function connectTo(path: string): Promise<DialOutcome> {
  return new Promise((resolve) => {
    const socket = connect({ path, allowHalfOpen: true })
    socket.once('error', (cause) => resolve(outcomeOf(cause)))
    socket.once('connect', () => resolve({ kind: 'connected', connection: new SocketConnection(socket) }))
  })
}

/** A handle, or what it says of who is there that there is none. */
function openPath(path: string): number | DialOutcome {
  try {
    return openSync(path, O_PATH_NOFOLLOW)
  } catch (thrown) {
    const cause = asError(thrown)
    return OUT_OF_DESCRIPTORS.includes(codeOf(cause)) ? { kind: 'busy', cause } : { kind: 'absent' }
  }
}

function outcomeOf(cause: Error): DialOutcome {
  switch (codeOf(cause)) {
    case 'ECONNREFUSED':
      return { kind: 'dead' }
    case 'ENOENT':
      return { kind: 'absent' }
    default:
      return { kind: 'busy', cause }
  }
}
