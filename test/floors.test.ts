import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect } from 'chai'
import { importCircle } from './support/import-circle'

const BASE = ['channel', 'wire', 'routing', 'platform', 'model']

/** Each folder of the source, and the folders below it that it may import from. */
const FLOORS: Readonly<Record<string, readonly string[]>> = {
  '.': ['requests', 'events', 'queues', 'mesh', ...BASE],
  requests: ['events', ...BASE],
  events: ['queues', ...BASE],
  queues: BASE,
  mesh: BASE,
  channel: ['wire', 'routing', 'platform', 'model'],
  wire: ['model'],
  routing: ['model'],
  platform: ['model'],
  model: [],
}

/** The only files that may use sockets, files, cryptography and the debug log; everything else gets them passed in. */
const SEAMS: Readonly<Record<string, readonly string[]>> = {
  'node:net': ['platform/published-socket', 'platform/socket-connection', 'platform/socket-file'],
  'node:fs': [
    'platform/directory-trust',
    'platform/published-socket',
    'platform/runtime-directory',
    'platform/socket-directory',
    'platform/socket-file',
  ],
  'node:crypto': ['mesh/secret'],
  'node:util': ['model/bytes', 'model/errors', 'model/thrown', 'platform/debug-log', 'wire/payload-writer'],
}

const SOURCE = join(__dirname, '..', 'src')
const files = readdirSync(SOURCE, { encoding: 'utf8', recursive: true })
  .filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'))
  .map((file) => file.replace(/\.ts$/, ''))
const read = (file: string) => readFileSync(join(SOURCE, `${file}.ts`), 'utf8')
const importsOf = (file: string) => [...read(file).matchAll(/from '([^']+)'/g)].map(([, path = '']) => path)
/** Without `import type`, of which nothing is left at run time. */
const valueImportsOf = (file: string) =>
  [...read(file).matchAll(/^import (?!type\b)[^']* from '([^']+)'/gm)].map(([, path = '']) => path)
const neighboursOf = (file: string) =>
  importsOf(file)
    .filter((path) => path.startsWith('.'))
    .map((path) => join(dirname(file), path))

describe('the source', () => {
  it('has no folders other than the floors', () => {
    expect([...new Set(files.map(dirname))].sort()).to.deep.equal(Object.keys(FLOORS).sort())
  })

  for (const file of files) {
    it(`imports only from its own folder or floors below in ${file}`, () => {
      const folder = dirname(file)
      for (const imported of neighboursOf(file)) {
        expect([folder, ...(FLOORS[folder] ?? [])], `${file} imports ${imported}`).to.include(dirname(imported))
      }
    })
  }

  it('has no files that import each other in a circle', () => {
    expect(importCircle(files, neighboursOf)).to.equal(undefined)
  })

  it('uses sockets, files, time and randomness only through the seams', () => {
    for (const file of files) {
      for (const path of valueImportsOf(file)) expect(SEAMS[path] ?? [file], `${file} imports ${path}`).to.include(file)
      if (file === 'platform/clock') continue
      // The timeout of a socket is part of the socket.
      expect(read(file), file).not.to.match(
        /(?<!\bsocket\.)\b(setTimeout|setInterval|setImmediate|queueMicrotask|Math\.random)\b/,
      )
    }
  })
})
