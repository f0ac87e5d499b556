import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Endpoint, type EndpointOptions } from '../../src'
import { ProcessGroup } from './process-group'
import { RemoteEndpoint } from './remote-endpoint'
import type { RemoteProcess } from './remote-process'

/** A bus of a test's own, and the processes that are on it. */
export class Bus {
  readonly processes = new ProcessGroup()
  readonly #endpoints: Endpoint[] = []
  #directory = ''
  #ledger = ''

  get directory(): string {
    return this.#directory
  }

  /** Where processes can write down what they do. */
  get ledger(): string {
    return this.#ledger
  }

  async open(): Promise<void> {
    this.#directory = await mkdtemp(join(tmpdir(), 'lahja-'))
    this.#ledger = await mkdtemp(join(tmpdir(), 'lahja-'))
  }

  /** Ends every process and endpoint, and removes the directories. */
  async end(): Promise<void> {
    await this.processes.end()
    await Promise.all(this.#endpoints.splice(0).map((endpoint) => endpoint.close()))
    await rm(this.#directory, { recursive: true })
    await rm(this.#ledger, { recursive: true })
  }

  /** An endpoint in the process of the test itself. */
  async join(name: string, options: Partial<EndpointOptions> = {}): Promise<Endpoint> {
    const endpoint = await Endpoint.start({ name, directory: this.#directory, ...options })
    this.#endpoints.push(endpoint)
    return endpoint
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
