import { chmodSync, lchownSync, lstatSync, renameSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { ConnectionFailed, exhausted } from '../model/errors'
import { asError } from '../model/thrown'
import { SocketConnection } from './socket-connection'
import { isExhaustion, removeSocket, tryLstat } from './socket-file'
import type { Connection, Listener } from './transport'

/** Connections that the kernel queues for us to accept. */
const BACKLOG = 511

/** Advice for a read-only file system, or one without sockets. */
const ELSEWHERE =
  'set the option `directory` or the variable LAHJA_DIRECTORY to a directory in which you can create sockets'

/** Only the owner and members of the file's group can connect. */
const GROUP_MODE = 0o660

/** A listening socket whose public name exists only while it listens. */
export class PublishedSocket implements Listener {
  readonly #temporaryPath: string
  readonly #path: string
  readonly #group: number | undefined
  readonly #accept: (connection: Connection) => void
  #server: Server | undefined
  #inode: number | undefined
  #publishing: Promise<void> = Promise.resolve()
  #withdrawn = false
  #isKeptAlive = true

  /** @param group the id of a group whose members may connect too */
  constructor(
    temporaryPath: string,
    path: string,
    group: number | undefined,
    accept: (connection: Connection) => void,
  ) {
    this.#temporaryPath = temporaryPath
    this.#path = path
    this.#group = group
    this.#accept = accept
  }

  async isPublished(): Promise<boolean> {
    return tryLstat(this.#path)?.ino === this.#inode
  }

  async republish(): Promise<void> {
    if (this.#withdrawn) return
    this.#publishing = this.#listen()
    await this.#publishing
  }

  /** Waits for a publication in progress, which would otherwise add the socket again. */
  async withdraw(): Promise<void> {
    this.#withdrawn = true
    await this.#publishing.catch(() => {})
    this.#server?.close()
    removeSocket(this.#path, ({ ino }) => ino === this.#inode)
  }

  keepAlive(isWanted: boolean): void {
    this.#isKeptAlive = isWanted
    if (isWanted) this.#server?.ref()
    else this.#server?.unref()
  }

  async #listen(): Promise<void> {
    const server = createServer({ allowHalfOpen: true }, (socket) => this.#accept(new SocketConnection(socket)))
    try {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject)
        // Without `exclusive`, the workers of a cluster would share one socket, and with it one identity.
        server.listen({ path: this.#temporaryPath, exclusive: true, backlog: BACKLOG }, resolve)
      })
      server.removeAllListeners('error')
      // Errors of accept(2), such as too many open files, fail the peer's dial, and it dials again.
      server.on('error', () => {})
      this.#admitGroup()
      this.#inode = lstatSync(this.#temporaryPath).ino
      renameSync(this.#temporaryPath, this.#path)
    } catch (error) {
      server.close()
      const cause = asError(error)
      const text = `can't listen at ${this.#path}: ${cause.message}`
      throw isExhaustion(cause) ? exhausted(text, cause) : new ConnectionFailed(`${text}; ${ELSEWHERE}`, { cause })
    }
    // Not before: until then it alone keeps the process alive, and its close unlinks the temporary path.
    this.#server?.close()
    this.#server = server
    this.keepAlive(this.#isKeptAlive)
  }

  /** There are no calls for this but by path. The sticky bit keeps others from putting a link there meanwhile. */
  #admitGroup(): void {
    if (this.#group === undefined) return
    lchownSync(this.#temporaryPath, -1, this.#group)
    chmodSync(this.#temporaryPath, GROUP_MODE)
  }
}
