import { statSync } from 'node:fs'
import { isAbsolute } from 'node:path'
import { isOurs } from './directory-trust'

/**
 * `$XDG_RUNTIME_DIR`; undefined unless it is what the XDG Base Directory Specification says: an absolute path to a
 * directory that this process's user owns, with mode 0700. Under `sudo -E` it is another user's.
 */
export function runtimeDirectory(path: string | undefined): string | undefined {
  if (path === undefined || !isAbsolute(path)) return undefined
  try {
    const stats = statSync(path)
    return stats.isDirectory() && isOurs(stats) && (stats.mode & 0o777) === 0o700 ? path : undefined
  } catch {
    return undefined
  }
}
