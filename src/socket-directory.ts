import { type FSWatcher, type Stats, watch } from 'node:fs'
import { lstat, mkdir, readdir, rename, unlink } from 'node:fs/promises'
import { connect, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { type Address, fileNameOf, parseFileName } from './address'
import { asError, ConnectionFailed, DirectoryRefused, PathTooLong } from './errors'
import { SocketConnection } from './socket-connection'
import type { Connection, DialOutcome, Listener, Transport, Watch } from './transport'

/** Bytes of `sun_path` without its final NUL (unix(7)); longer paths are cut off without an error. */
const PATH_LIMIT = process.platform === 'linux' ? 107 : 103

/** Connections the kernel keeps for us to accept. */
const BACKLOG = 511

const NOT_YET_PUBLISHED = /^[0-9a-z]{13}\.new$/

/** Age in milliseconds at which an unpublished socket is what a crash left behind: publishing takes microseconds. */
const ABANDONED_AFTER = 60_000

/** A directory of Unix domain sockets, one for each endpoint, closed to everyone but the user it belongs to. */
export class SocketDirectory implements Transport {
  readonly location: string
  readonly #ownParents: readonly string[]

  /** @param ownParents directories above it that are created and checked like it */
  constructor(location: string, ownParents: readonly string[] = []) {
    this.location = location
    this.#ownParents = ownParents
  }

  /** @throws DirectoryRefused */
  async open(): Promise<void> {
    for (const path of [...this.#ownParents, this.location]) {
      try {
        await mkdir(path, { recursive: true, mode: 0o700 })
      } catch (error) {
        if (codeOf(error) !== 'EEXIST') throw refused(path, 'expected to create or find it', error)
      }
      const stats = await lstat(path).catch((error) => {
        throw refused(path, 'expected to look at it', error)
      })
      checkTrust(path, stats, process.geteuid?.())
    }
    await this.#sweep()
  }

  /** @throws PathTooLong, ConnectionFailed */
  async publish(self: Address, accept: (connection: Connection) => void): Promise<Listener> {
    const socket = new PublishedSocket(join(this.location, `${self.id}.new`), this.#pathOf(self), accept)
    await socket.republish()
    return socket
  }

  async scan(): Promise<Address[]> {
    const addresses: Address[] = []
    for (const fileName of await this.#list()) {
      const address = parseFileName(fileName)
      if (address) addresses.push(address)
    }
    return addresses
  }

  async dial(address: Address): Promise<DialOutcome> {
    const path = this.#pathOf(address)
    // A regular file refuses a dial just like the socket of a dead process.
    const stats = await lstat(path).catch(() => undefined)
    if (!stats?.isSocket()) return { kind: 'absent' }
    return new Promise((resolve) => {
      const socket = connect({ path, allowHalfOpen: true })
      socket.once('error', (cause) => resolve(outcomeOf(cause)))
      socket.once('connect', () => resolve({ kind: 'connected', connection: new SocketConnection(socket) }))
    })
  }

  /** Safe, because nobody ever listens at this path again. */
  async bury(address: Address): Promise<void> {
    await remove(this.#pathOf(address))
  }

  watch(hint: () => void): Watch {
    let watcher: FSWatcher | undefined
    try {
      watcher = watch(this.location, { persistent: false }, () => hint())
      watcher.on('error', () => watcher?.close())
    } catch {
      // Watches are scarce (fs.inotify.max_user_instances); the rescan finds everything without one.
    }
    return { stop: () => watcher?.close() }
  }

  async #list(): Promise<string[]> {
    return readdir(this.location).catch((error) => {
      throw refused(this.location, 'expected to read it', error)
    })
  }

  async #sweep(): Promise<void> {
    for (const fileName of await this.#list()) {
      if (!NOT_YET_PUBLISHED.test(fileName)) continue
      const path = join(this.location, fileName)
      const stats = await lstat(path).catch(() => undefined)
      if (stats?.isSocket() && Date.now() - stats.mtimeMs > ABANDONED_AFTER) await remove(path)
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

/** A listening socket that stands under its public name only while it listens. */
class PublishedSocket implements Listener {
  readonly #temporaryPath: string
  readonly #path: string
  readonly #accept: (connection: Connection) => void
  #server: Server | undefined
  #inode: number | undefined
  #publishing: Promise<void> = Promise.resolve()
  #withdrawn = false

  constructor(temporaryPath: string, path: string, accept: (connection: Connection) => void) {
    this.#temporaryPath = temporaryPath
    this.#path = path
    this.#accept = accept
  }

  async isPublished(): Promise<boolean> {
    const stats = await lstat(this.#path).catch(() => undefined)
    return stats?.ino === this.#inode
  }

  async republish(): Promise<void> {
    if (this.#withdrawn) return
    this.#publishing = this.#listen()
    await this.#publishing
  }

  /** What is being published is published first, so that it can't come after this. */
  async withdraw(): Promise<void> {
    this.#withdrawn = true
    await this.#publishing.catch(() => {})
    this.#server?.close()
    if (await this.isPublished()) await remove(this.#path)
  }

  async #listen(): Promise<void> {
    this.#server?.close()
    const server = createServer({ allowHalfOpen: true }, (socket) => this.#accept(new SocketConnection(socket)))
    this.#server = server
    try {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject)
        // Exclusive, or the workers of a cluster would share one socket, and with it one identity.
        server.listen({ path: this.#temporaryPath, exclusive: true, backlog: BACKLOG }, resolve)
      })
      server.removeAllListeners('error')
      // Running out of descriptors while accepting concerns whoever dialled, and they try again.
      server.on('error', () => {})
      this.#inode = (await lstat(this.#temporaryPath)).ino
      await rename(this.#temporaryPath, this.#path)
    } catch (error) {
      server.close()
      const cause = asError(error)
      throw new ConnectionFailed(`expected to listen at ${this.#path}, got ${cause.message}`, { cause })
    }
  }
}

/** @throws DirectoryRefused unless it is a real directory, ours, and closed to everyone else */
function checkTrust(path: string, stats: Stats, uid: number | undefined): void {
  const mode = (stats.mode & 0o777).toString(8).padStart(4, '0')
  if (stats.isSymbolicLink()) throw refused(path, 'expected a directory, got a symbolic link')
  if (!stats.isDirectory()) throw refused(path, 'expected a directory, got another kind of file')
  if (uid !== undefined && stats.uid !== uid) throw refused(path, `expected owner ${uid}, got owner ${stats.uid}`)
  if ((stats.mode & 0o077) !== 0) throw refused(path, `expected mode 0700, got ${mode}, which lets others in`)
  if ((stats.mode & 0o700) !== 0o700) throw refused(path, `expected mode 0700, got ${mode}, which keeps its owner out`)
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

async function remove(path: string): Promise<void> {
  try {
    await unlink(path)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw refused(path, 'expected to remove it', error)
  }
}

function refused(path: string, what: string, thrown?: unknown): DirectoryRefused {
  if (thrown === undefined) return new DirectoryRefused(`${path}: ${what}`)
  const cause = asError(thrown)
  return new DirectoryRefused(`${path}: ${what}, got ${cause.message}`, { cause })
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
