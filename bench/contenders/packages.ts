import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { delimiter, dirname, join } from 'node:path'
import * as v from 'valibot'

const PackageFile = v.object({ name: v.optional(v.string()), version: v.optional(v.string()) })

const root = dirname(require.resolve('lahja/package.json'))

const requirePeer = createRequire(join(root, 'bench', 'peers', 'package.json'))

/**
 * Loads a package of `bench/peers`, which only some contenders need.
 *
 * @throws TypeError if it lacks one of these exports
 */
export function loadPeer<Package>(name: string, ...names: (keyof Package & string)[]): Package {
  const found: unknown = requirePeer(name)
  if (hasExports<Package>(found, names)) return found
  throw new TypeError(`expected ${name} to export ${names.join(' and ')}`)
}

function hasExports<Package>(value: unknown, names: readonly string[]): value is Package {
  return names.every((name) => name in Object(value))
}

export function peerVersion(name: string): string {
  return versionOf(name, requirePeer)
}

/** The version of an installed package. */
export function versionOf(name: string, from: NodeJS.Require = require): string {
  for (let path = dirname(from.resolve(name)); path !== dirname(path); path = dirname(path)) {
    const file = join(path, 'package.json')
    if (!existsSync(file)) continue
    const found = v.parse(PackageFile, JSON.parse(readFileSync(file, 'utf8')))
    if (found.name === name && found.version) return found.version
  }
  throw new Error(`${name} has no package.json`)
}

/** The commands that install the missing ones of these packages and servers. */
export function missing(packages: readonly string[], servers: readonly string[] = []): string[] {
  const absent = servers.filter((server) => !isInPath(server))
  return [
    ...(packages.every(isInstalled) ? [] : ['npm ci --prefix bench/peers']),
    ...(absent.length > 0 ? [`apt-get install ${absent.join(' ')}`] : []),
  ]
}

function isInstalled(name: string): boolean {
  try {
    requirePeer.resolve(name)
    return true
  } catch {
    return false
  }
}

function isInPath(command: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((path) => path !== '' && existsSync(join(path, command)))
}
