import type { Stats } from 'node:fs'
import { DirectoryRefused } from '../model/errors'
import { asError } from '../model/thrown'

/** The sticky bit: in a directory that several users can write to, only its owner can rename or remove a file. */
const STICKY = 0o1000

/**
 * Checks that a directory is safe: real, owned by this process's user and closed to all others. If it may be shared, the
 * owner may be root too, and a group may have access if its members can't replace each other's sockets.
 *
 * @param mayBeShared set this only if peers have to prove that they belong to the bus
 * @param isDefault whether it is in the default place, which the program hasn't chosen
 * @returns whether a group shares it
 * @throws DirectoryRefused
 */
export function checkTrust(path: string, stats: Stats, mayBeShared: boolean, isDefault = false): boolean {
  const uid = process.geteuid?.()
  const permissions = stats.mode & 0o777
  const mode = `has mode ${(stats.mode & 0o1777).toString(8).padStart(4, '0')}, which`
  const sharing = mayBeShared ? ', or to 1770 to share it with its group' : ''
  // Only its owner can change its mode; a subdirectory can't be created either in one that keeps this user out.
  const isOwn = uid === undefined || stats.uid === uid
  const who = isOwn ? '' : `let its owner, user ${stats.uid}, `
  const advice = `${who}chmod it to 0700${sharing}, or use a ${isOwn ? 'subdirectory' : 'directory of your own'}, which is created so`
  const elsewhere = 'set the option `directory` or the variable LAHJA_DIRECTORY to a directory of your own'
  if (stats.isSymbolicLink()) {
    throw refused(path, 'is a symbolic link', isDefault ? elsewhere : 'use the directory that it points to')
  }
  if (!stats.isDirectory()) throw refused(path, 'is not a directory', isDefault ? elsewhere : 'choose another path')
  if (uid !== undefined && stats.uid !== uid && !(mayBeShared && stats.uid === 0)) {
    const owners = `by you (${uid})${mayBeShared ? ' or root' : ''}`
    const ownAdvice = isDefault ? elsewhere : 'chown it, or use a subdirectory, which is created for you'
    throw refused(path, `is owned by user ${stats.uid}, not ${owners}`, ownAdvice)
  }
  if ((permissions & (mayBeShared ? 0o007 : 0o077)) !== 0) throw refused(path, `${mode} lets other users in`, advice)
  if ((permissions & 0o700) !== 0o700) throw refused(path, `${mode} keeps its owner out`, advice)
  if ((permissions & 0o020) !== 0 && (stats.mode & STICKY) === 0) {
    throw refused(path, `${mode} lets members of its group replace each other's sockets`, advice)
  }
  return (permissions & 0o070) !== 0
}

/** Does the file belong to this process's user? */
export function isOurs({ uid }: Stats): boolean {
  return uid === process.geteuid?.()
}

/** Does the file belong neither to this process's user nor to root? */
export function isForeign(stats: Stats): boolean {
  return stats.uid !== 0 && !isOurs(stats)
}

/** @param thrown the error of the operating system, if there is one */
export function refused(path: string, problem: string, advice: string, thrown?: unknown): DirectoryRefused {
  if (thrown === undefined) return new DirectoryRefused(`${path}: ${problem}; ${advice}`)
  const cause = asError(thrown)
  return new DirectoryRefused(`${path}: ${problem} (${cause.message}); ${advice}`, { cause })
}
