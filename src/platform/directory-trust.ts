import type { Stats } from 'node:fs'
import { asError, DirectoryRefused } from '../model/errors'

/** Lets only the owner of a file or directory rename and remove it, where others may write to the directory. */
const STICKY = 0o1000

/**
 * Is the directory shared by a group?
 *
 * @param group whether it may be: only where whoever is let in has to prove that they belong
 * @throws DirectoryRefused unless it is a real directory, ours, and closed to everyone else; one that may be shared can
 *   be root's too, and open to a group whose members can't replace each other's sockets
 */
export function checkTrust(path: string, stats: Stats, group: boolean): boolean {
  const uid = process.geteuid?.()
  const permissions = stats.mode & 0o777
  const mode = (stats.mode & 0o1777).toString(8).padStart(4, '0')
  if (stats.isSymbolicLink()) throw refused(path, 'expected a directory, got a symbolic link')
  if (!stats.isDirectory()) throw refused(path, 'expected a directory, got another kind of file')
  if (uid !== undefined && stats.uid !== uid && !(group && stats.uid === 0)) {
    throw refused(path, `expected owner ${uid}${group ? ' or 0' : ''}, got owner ${stats.uid}`)
  }
  const expected = `expected mode 0700${group ? ' or 1770' : ''}, got ${mode}, which`
  if ((permissions & (group ? 0o007 : 0o077)) !== 0) throw refused(path, `${expected} lets others in`)
  if ((permissions & 0o700) !== 0o700) throw refused(path, `${expected} keeps its owner out`)
  if ((permissions & 0o020) !== 0 && (stats.mode & STICKY) === 0) {
    throw refused(path, `${expected} lets the group's members replace each other's sockets`)
  }
  return (permissions & 0o070) !== 0
}

export function isOurs({ uid }: Stats): boolean {
  return uid === process.geteuid?.()
}

/** Is a file neither our own user's nor root's? */
export function isForeign(stats: Stats): boolean {
  return stats.uid !== 0 && !isOurs(stats)
}

export function refused(path: string, what: string, thrown?: unknown): DirectoryRefused {
  if (thrown === undefined) return new DirectoryRefused(`${path}: ${what}`)
  const cause = asError(thrown)
  return new DirectoryRefused(`${path}: ${what}, got ${cause.message}`, { cause })
}
