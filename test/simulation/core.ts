import { join } from 'node:path'
import type { Endpoint, EndpointOptions } from '../../src'
import type { Settings } from '../../src/options'
import type { World } from '../../src/platform/world'

/** The parts of the package that the simulation uses, as shipped or mutated. */
export interface Core {
  readonly startIn: (world: World, settings: Settings) => Promise<Endpoint>
  readonly settingsOf: (options: EndpointOptions) => Settings
}

export const SOURCE = join(__dirname, '..', '..', 'src')

/** @param source a directory of the package's source files */
export function loadCore(source = SOURCE): Core {
  const { Endpoint }: typeof import('../../src') = require(join(source, 'index'))
  const { settingsOf }: typeof import('../../src/options') = require(join(source, 'options'))
  return { startIn: (world, settings) => Endpoint.startIn(world, settings), settingsOf }
}
