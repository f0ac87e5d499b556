import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { EndpointOptions } from '../../src'
import { ProcessGroup } from './process-group'
import { RemoteEndpoint } from './remote-endpoint'
import type { RemoteProcess } from './remote-process'

/** A bus of a test's own, and the processes that are on it. */
export class Bus {
  readonly processes = new ProcessGroup()
  #directory = ''

  get directory(): string {
    return this.#directory
  }

  async open(): Promise<void> {
    this.#directory = await mkdtemp(join(tmpdir(), 'lahja-'))
  }

  /** Ends every process and removes the directory. */
  async end(): Promise<void> {
    await this.processes.end()
    await rm(this.#directory, { recursive: true })
  }

  /** An endpoint in a process of its own. */
  async start(name: string, options: Partial<EndpointOptions> = {}): Promise<RemoteEndpoint> {
    return this.startIn(await this.processes.participant(), name, options)
  }

  startIn(process: RemoteProcess, name: string, options: Partial<EndpointOptions> = {}): Promise<RemoteEndpoint> {
    return RemoteEndpoint.start(process, { name, directory: this.#directory, ...options })
  }

  /** Whose socket files there are, in order of the names. */
  async published(): Promise<string[]> {
    const files = await readdir(this.#directory)
    return files.map((file) => file.replace(/~[^~]*$/, '')).sort()
  }
}
