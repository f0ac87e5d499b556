import type { Stats } from 'node:fs'
import { asError, DirectoryRefused } from './errors'

/** @throws DirectoryRefused unless it is a real directory, ours, and closed to everyone else */
export function checkTrust(path: string, stats: Stats, uid: number | undefined): void {
  const mode = (stats.mode & 0o777).toString(8).padStart(4, '0')
  if (stats.isSymbolicLink()) throw refused(path, 'expected a directory, got a symbolic link')
  if (!stats.isDirectory()) throw refused(path, 'expected a directory, got another kind of file')
  if (uid !== undefined && stats.uid !== uid) throw refused(path, `expected owner ${uid}, got owner ${stats.uid}`)
  if ((stats.mode & 0o077) !== 0) throw refused(path, `expected mode 0700, got ${mode}, which lets others in`)
  if ((stats.mode & 0o700) !== 0o700) throw refused(path, `expected mode 0700, got ${mode}, which keeps its owner out`)
}

export function refused(path: string, what: string, thrown?: unknown): DirectoryRefused {
  if (thrown === undefined) return new DirectoryRefused(`${path}: ${what}`)
  const cause = asError(thrown)
  return new DirectoryRefused(`${path}: ${what}, got ${cause.message}`, { cause })
}
