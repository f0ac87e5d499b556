import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Endpoint, type EndpointOptions } from '../../src'
import { ProcessGroup } from './process-group'
import { RemoteEndpoint } from './remote-endpoint'
import type { RemoteProcess } from './remote-process'

/** A bus in a directory of its own, with its processes and endpoints. */
export class Bus {
  readonly processes = new ProcessGroup()
  readonly #endpoints: Endpoint[] = []
  #directory = ''
  #logs = ''

  get directory(): string {
    return this.#directory
  }

  /** The directory of the work logs. */
  get logs(): string {
    return this.#logs
  }

  async open(): Promise<void> {
    this.#directory = await mkdtemp(join(tmpdir(), 'lahja-'))
    this.#logs = await mkdtemp(join(tmpdir(), 'lahja-'))
  }

  /** Ends all processes and endpoints, and removes the directories. */
  async end(): Promise<void> {
    await this.processes.end()
    await Promise.all(this.#endpoints.splice(0).map((endpoint) => endpoint.close()))
    await rm(this.#directory, { recursive: true })
    await rm(this.#logs, { recursive: true })
  }

  /** Starts an endpoint in the process of the test. */
  async join(name: string, options: Partial<EndpointOptions> = {}): Promise<Endpoint> {
    const endpoint = await Endpoint.start({ name, directory: this.#directory, ...options })
    this.#endpoints.push(endpoint)
    return endpoint
  }

  /** Starts an endpoint in its own process. */
  async start(name: string, options: Omit<Partial<EndpointOptions>, 'name'> = {}): Promise<RemoteEndpoint> {
    return this.startIn(await this.processes.participant(), name, options)
  }

  startIn(
    process: RemoteProcess,
    name: string,
    options: Omit<Partial<EndpointOptions>, 'name'> = {},
  ): Promise<RemoteEndpoint> {
    return RemoteEndpoint.start(process, { directory: this.#directory, ...options, name })
  }

  /** The names of all published socket files, sorted. */
  async published(): Promise<string[]> {
    const files = await readdir(this.#directory)
    return files.map((file) => file.replace(/~[^~]*$/, '')).sort()
  }
}

/** A bus for the calling suite: a fresh one for each test, or `shared` by all of them. */
export function useBus(scope: 'fresh' | 'shared' = 'fresh'): Bus {
  const bus = new Bus()
  const [open, end] = scope === 'fresh' ? [beforeEach, afterEach] : [before, after]
  open(() => bus.open())
  end(() => bus.end())
  return bus
}
