import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The version of an installed package, as its package file says. */
export function versionOf(name: string, from: NodeJS.Require = require): string {
  for (let folder = dirname(from.resolve(name)); folder !== dirname(folder); folder = dirname(folder)) {
    const file = join(folder, 'package.json')
    if (!existsSync(file)) continue
    const found: unknown = JSON.parse(readFileSync(file, 'utf8'))
    if (isPackage(found) && found.name === name) return found.version
  }
  throw new Error(`expected a package file of ${name}, got none`)
}

function isPackage(value: unknown): value is { name: string; version: string } {
  return typeof value === 'object' && value !== null && 'name' in value && 'version' in value
}
