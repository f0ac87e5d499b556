import { once } from 'node:events'
import { Endpoint, type EndpointOptions } from '../../src'
import { settingsOf } from '../../src/options'
import type { Clock } from '../../src/platform/clock'
import { SocketDirectory } from '../../src/platform/socket-directory'
import type { Transport } from '../../src/platform/transport'
import { temporaryDirectory } from './temporary-directory'

/** A fresh bus for each test of the calling suite; its endpoints are closed after the test. */
export function freshBus() {
  const endpoints: Endpoint[] = []
  afterEach(async () => {
    await Promise.all(endpoints.splice(0).map((endpoint) => endpoint.close({ timeout: 100 }).catch(() => {})))
  })
  const directory = temporaryDirectory()
  return {
    get directory() {
      return directory.path
    },
    async start(name: string, options: Partial<EndpointOptions> = {}): Promise<Endpoint> {
      const endpoint = await Endpoint.start({ name, directory: directory.path, ...options })
      endpoints.push(endpoint)
      return endpoint
    },
    /** Starts an endpoint with another clock than the system's, and maybe another transport. */
    async startBy(
      clock: Clock,
      name: string,
      options: Partial<EndpointOptions> = {},
      transport: Transport = new SocketDirectory(directory.path),
    ): Promise<Endpoint> {
      const settings = settingsOf({ name, directory: directory.path, ...options })
      const endpoint = await Endpoint.startIn({ transport, clock }, settings)
      endpoints.push(endpoint)
      return endpoint
    },
    /** Starts endpoints of these names, each linked with all others. */
    startAll<Name extends string>(...names: Name[]): Promise<Record<Name, Endpoint>> {
      return this.startEach(Object.fromEntries(names.map((name) => [name, {}])) as Record<Name, object>)
    },
    /** Starts endpoints with options by name, each linked with all others. */
    async startEach<Name extends string>(
      options: Readonly<Record<Name, Partial<EndpointOptions>>>,
    ): Promise<Record<Name, Endpoint>> {
      const names = Object.keys(options) as Name[]
      const started = await Promise.all(
        names.map(async (name) => [name, await this.start(name, options[name])] as const),
      )
      await Promise.all(started.map(([, endpoint]) => endpoint.waitUntilConnectedTo(names)))
      return Object.fromEntries(started) as Record<Name, Endpoint>
    },
  }
}

/** The first argument of the next event of this name. */
export async function next(endpoint: Endpoint, name: 'joined' | 'left' | 'lost' | 'gap' | 'error' | 'lagging') {
  const [first] = await once(endpoint, name === 'error' ? 'error' : name)
  return first
}

/** Resolves when the condition holds. It is checked once per turn of the event loop. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise<void>((resolve) => setTimeout(resolve, 1))
}
