import { type FSWatcher, lstatSync, mkdirSync, readdirSync, type Stats, watch } from 'node:fs'
import { dirname, join } from 'node:path'
import { asError, codeOf, PathTooLong } from '../model/errors'
import { type Address, fileNameOf, parseFileName } from './address'
import { checkTrust, refused } from './directory-trust'
import { PublishedSocket } from './published-socket'
import { dialSocket, removeSocket, tryLstat } from './socket-file'
import type { Connection, DialOutcome, Listener, Transport, Watch } from './transport'

/** Bytes of `sun_path` without its final NUL (unix(7)); longer paths are cut off without an error. */
const PATH_LIMIT = process.platform === 'linux' ? 107 : 103

const NOT_YET_PUBLISHED = /^[0-9a-z]{13}\.new$/

/** Age in milliseconds at which an unpublished socket is what a crash left behind: publishing takes microseconds. */
const ABANDONED_AFTER = 60_000

/**
 * A directory of Unix domain sockets, one for each endpoint, closed to everyone but the user it belongs to, or to
 * everyone but that user and a group.
 */
export class SocketDirectory implements Transport {
  readonly location: string
  readonly #ownParents: readonly string[]
  readonly #mayBeShared: boolean
  /** That shares it. */
  #group: number | undefined

  /**
   * @param ownParents directories above it that are created and checked like a directory that nobody shares
   * @param mayBeShared whether a group may share it
   */
  constructor(location: string, ownParents: readonly string[] = [], mayBeShared = false) {
    this.location = location
    this.#ownParents = ownParents
    this.#mayBeShared = mayBeShared
  }

  /** @throws DirectoryRefused */
  async open(): Promise<void> {
    for (const path of [...this.#ownParents, this.location]) {
      try {
        create(path)
      } catch (error) {
        throw refused(path, 'expected to create or find it', error)
      }
      const stats = statsOf(path)
      const isShared = checkTrust(path, stats, this.#mayBeShared && path === this.location)
      this.#group = isShared ? stats.gid : undefined
    }
    await this.#sweep()
  }

  /** @throws PathTooLong, ConnectionFailed */
  async publish(self: Address, accept: (connection: Connection) => void): Promise<Listener> {
    const socket = new PublishedSocket(join(this.location, `${self.id}.new`), this.#pathOf(self), this.#group, accept)
    await socket.republish()
    return socket
  }

  async scan(): Promise<Address[]> {
    const addresses: Address[] = []
    for (const fileName of this.#list()) {
      const address = parseFileName(fileName)
      if (address) addresses.push(address)
    }
    return addresses
  }

  async dial(address: Address): Promise<DialOutcome> {
    return dialSocket(this.#pathOf(address), this.#mayBeShared)
  }

  /** Safe, because nobody ever listens at this path again. */
  async remove(address: Address): Promise<void> {
    removeSocket(this.#pathOf(address))
  }

  watch(onChange: () => void): Watch {
    let watcher: FSWatcher | undefined
    try {
      watcher = watch(this.location, { persistent: false }, () => onChange())
      watcher.on('error', () => watcher?.close())
    } catch {
      // Watches are scarce (fs.inotify.max_user_instances); the rescan finds everything without one.
    }
    return { stop: () => watcher?.close() }
  }

  #list(): string[] {
    try {
      return readdirSync(this.location)
    } catch (error) {
      throw refused(this.location, 'expected to read it', error)
    }
  }

  async #sweep(): Promise<void> {
    for (const fileName of this.#list()) {
      if (!NOT_YET_PUBLISHED.test(fileName)) continue
      const path = join(this.location, fileName)
      const stats = tryLstat(path)
      if (!stats?.isSocket() || Date.now() - stats.mtimeMs <= ABANDONED_AFTER) continue
      // The wall clock may have jumped, or its process been stopped: whoever listens will publish.
      const outcome = await dialSocket(path, this.#mayBeShared)
      if (outcome.kind === 'dead') removeSocket(path)
      if (outcome.kind === 'connected') outcome.connection.destroy()
    }
  }

  #pathOf(address: Address): string {
    const path = join(this.location, fileNameOf(address))
    const bytes = Buffer.byteLength(path)
    if (bytes <= PATH_LIMIT) return path
    throw new PathTooLong(
      `expected a socket path of at most ${PATH_LIMIT} bytes, got ${bytes}, ${bytes - PATH_LIMIT} over: ${path}`,
    )
  }
}

/**
 * Creates a directory, and those above it that aren't there. The `recursive` of Node tries for ever, and lets nothing else
 * run, where nothing can be created though the directory above is there, as in /proc.
 */
function create(path: string): void {
  const failure = tryToCreate(path)
  if (!failure) return
  const parent = dirname(path)
  if (codeOf(failure) !== 'ENOENT' || parent === path) throw failure
  // If it is there, somebody may have created it a moment ago.
  if (!tryLstat(parent)) create(parent)
  const lasting = tryToCreate(path)
  if (lasting) throw lasting
}

/** Returns why it isn't there. */
function tryToCreate(path: string): Error | undefined {
  try {
    mkdirSync(path, 0o700)
  } catch (error) {
    return codeOf(error) === 'EEXIST' ? undefined : asError(error)
  }
  return undefined
}

function statsOf(path: string): Stats {
  try {
    return lstatSync(path)
  } catch (error) {
    throw refused(path, 'expected to look at it', error)
  }
}
