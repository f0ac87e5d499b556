import { type FSWatcher, lstatSync, mkdirSync, readdirSync, type Stats, watch } from 'node:fs'
import { dirname, join } from 'node:path'
import { exhausted, PathTooLong } from '../model/errors'
import { asError, codeOf } from '../model/thrown'
import { type Address, fileNameOf, parseFileName } from './address'
import { checkTrust, refused } from './directory-trust'
import { PublishedSocket } from './published-socket'
import { dialSocket, inspectSocket, isExhaustion, removeSocket, tryLstat } from './socket-file'
import type { Connection, DialOutcome, Listener, SocketInfo, Transport, Watch } from './transport'

/** Size of `sun_path` in bytes without its final NUL (unix(7)). Longer paths are cut off without an error. */
const PATH_LIMIT = process.platform === 'linux' ? 107 : 103

/** Advice on the default directory, which the program hasn't chosen. */
const ELSEWHERE =
  'it is below the variable XDG_RUNTIME_DIR, or else the temporary directory; set the option `directory` or the variable LAHJA_DIRECTORY'

/** The file name of a socket before it is published. */
const UNPUBLISHED = /^[0-9a-z]{13}\.new$/

/** Milliseconds after which an unpublished socket was left behind by a crash: publishing takes microseconds. */
const ABANDONED_AFTER = 60_000

/** A directory of Unix domain sockets, one per endpoint, open only to its owner, or to its owner and a group. */
export class SocketDirectory implements Transport {
  readonly location: string
  readonly #ownParents: readonly string[]
  readonly #mayBeShared: boolean
  /** The id of the group that shares it. */
  #group: number | undefined

  /**
   * @param ownParents parent directories to create, which must be as safe as an unshared directory
   * @param mayBeShared may a group share it?
   */
  constructor(location: string, ownParents: readonly string[] = [], mayBeShared = false) {
    this.location = location
    this.#ownParents = ownParents
    this.#mayBeShared = mayBeShared
  }

  /** @throws DirectoryRefused, PathTooLong */
  async open(self?: Address): Promise<void> {
    if (self) this.#pathOf(self)
    for (const path of [...this.#ownParents, this.location]) {
      try {
        create(path)
      } catch (error) {
        const isDefault = this.#ownParents.length > 0
        throw refused(path, "can't be created", isDefault ? ELSEWHERE : 'choose another directory', error)
      }
      this.#check(path)
    }
    await this.#sweep()
  }

  /** @throws PathTooLong, ConnectionFailed */
  async publish(self: Address, accept: (connection: Connection) => void): Promise<Listener> {
    const socket = new PublishedSocket(join(this.location, `${self.id}.new`), this.#pathOf(self), this.#group, accept)
    await socket.republish()
    return socket
  }

  /** @throws DirectoryRefused, also if it has ceased to be safe */
  async scan(): Promise<Address[]> {
    for (const path of [...this.#ownParents, this.location]) this.#check(path)
    const addresses: Address[] = []
    for (const fileName of read<string[]>(this.location, readdirSync)) {
      const address = parseFileName(fileName)
      if (address) addresses.push(address)
    }
    return addresses
  }

  async inspect(address: Address): Promise<SocketInfo | undefined> {
    return inspectSocket(this.#pathOf(address))
  }

  async dial(address: Address): Promise<DialOutcome> {
    return dialSocket(this.#pathOf(address), this.#mayBeShared)
  }

  /** Safe, because a path is never listened at again. */
  async remove(address: Address): Promise<void> {
    removeSocket(this.#pathOf(address))
  }

  watch(onChange: () => void): Watch {
    let watcher: FSWatcher | undefined
    try {
      watcher = watch(this.location, { persistent: false }, () => onChange())
      watcher.on('error', () => watcher?.close())
    } catch {
      // Watches are scarce (fs.inotify.max_user_instances); without one, the next scan finds the change.
    }
    return { stop: () => watcher?.close() }
  }

  #check(path: string): void {
    const stats = read<Stats>(path, lstatSync)
    const isShared = checkTrust(path, stats, this.#mayBeShared && path === this.location, this.#ownParents.length > 0)
    this.#group = isShared ? stats.gid : undefined
  }

  async #sweep(): Promise<void> {
    for (const fileName of read<string[]>(this.location, readdirSync)) {
      if (!UNPUBLISHED.test(fileName)) continue
      const path = join(this.location, fileName)
      const stats = tryLstat(path)
      if (!stats?.isSocket() || Date.now() - stats.mtimeMs <= ABANDONED_AFTER) continue
      // The system's date may have jumped, or the process been stopped: a socket with a listener will still be published.
      const outcome = await dialSocket(path, this.#mayBeShared)
      if (outcome.kind === 'dead') removeSocket(path)
      if (outcome.kind === 'connected') outcome.connection.destroy()
    }
  }

  #pathOf(address: Address): string {
    const path = join(this.location, fileNameOf(address))
    const bytes = Buffer.byteLength(path)
    if (bytes <= PATH_LIMIT) return path
    const excess = `has ${bytes} bytes, ${bytes - PATH_LIMIT} more than a socket path may have (${PATH_LIMIT})`
    throw new PathTooLong(`${path}: ${excess}; choose a shorter directory or endpoint name`)
  }
}

/**
 * Creates a directory and its missing parents. Not with Node's `recursive`, which loops forever if the parent exists but
 * nothing can be created in it, as in /proc.
 */
function create(path: string): void {
  const failure = tryToCreate(path)
  if (!failure) return
  const parent = dirname(path)
  if (codeOf(failure) !== 'ENOENT' || parent === path) throw failure
  // If the parent exists by now, another process has created it.
  if (!tryLstat(parent)) create(parent)
  const secondFailure = tryToCreate(path)
  if (secondFailure) throw secondFailure
}

/** Returns an error unless the path exists now. */
function tryToCreate(path: string): Error | undefined {
  try {
    mkdirSync(path, 0o700)
  } catch (error) {
    return codeOf(error) === 'EEXIST' ? undefined : asError(error)
  }
  return undefined
}

/** @throws DirectoryRefused, ConnectionFailed */
function read<Value>(path: string, call: (path: string) => Value): Value {
  try {
    return call(path)
  } catch (error) {
    if (isExhaustion(error)) throw exhausted(`${path} can't be read: ${asError(error).message}`, asError(error))
    throw refused(path, "can't be read", 'check its permissions', error)
  }
}
