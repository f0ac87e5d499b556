import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { delimiter, join } from 'node:path'

/** Found from the sources as well as from what is built of them. */
const folder = [join(__dirname, '..', 'peers'), join(__dirname, '..', '..', 'peers')].find((path) =>
  existsSync(join(path, 'package.json')),
)

export const PEERS_INSTALL = 'npm ci --prefix bench/peers'

/** Resolves packages that only some contenders need, and that are installed apart from all others. */
export const requirePeer: NodeJS.Require = createRequire(join(folder ?? __dirname, 'package.json'))

/** The commands that install what is missing of these. */
export function missing(packages: readonly string[], servers: readonly string[] = []): readonly string[] {
  const wanted = servers.filter((server) => !isInPath(server))
  return [
    ...(packages.every(isInstalled) ? [] : [PEERS_INSTALL]),
    ...(wanted.length > 0 ? [`apt-get install ${wanted.join(' ')}`] : []),
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
