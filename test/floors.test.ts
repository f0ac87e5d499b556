import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'

/** The house from the top down: a file may import only what stands on a floor below its own. */
const FLOORS = [
  ['index'],
  ['endpoint'],
  ['awareness'],
  ['participant'],
  ['membership'],
  ['mesh'],
  ['broadcaster', 'claim', 'notifier'],
  ['asker', 'dialer', 'peer', 'queues'],
  ['link', 'loopback', 'requests', 'responders', 'routes', 'settlements', 'subscriptions'],
  ['session', 'socket-directory'],
  ['channel', 'published-socket'],
  ['discovery', 'inbound', 'outbox', 'socket-file'],
  ['backlog', 'event-stream', 'flusher', 'socket-connection', 'wish'],
  ['codec', 'definition', 'encoder', 'handshake', 'interest-exchange', 'link-state', 'subscription'],
  ['gate', 'message', 'options', 'transport'],
  ['hello'],
  [
    'boundary',
    'burst',
    'control-queue',
    'ending',
    'field',
    'interest',
    'packer',
    'reply-stream',
    'router',
    'run',
    'secret',
    'unpacker',
  ],
  [
    'address',
    'allowance',
    'audience',
    'frame',
    'inbox',
    'intake',
    'overflow',
    'pattern',
    'holdings',
    'incoming-request',
    'pace',
    'payload',
    'schema',
    'trust',
    'turn',
    'waits',
  ],
  [
    'clock',
    'decoders',
    'desk',
    'errors',
    'event',
    'few-bytes',
    'fifo',
    'forms',
    'limits',
    'line',
    'liveness',
    'receipt',
    'responder',
    'rotation',
    'slabs',
    'thenable',
  ],
]

/** The only files that may reach for sockets, files and time; all others get them handed in. */
const SEAMS: Readonly<Record<string, readonly string[]>> = {
  'node:net': ['published-socket', 'socket-connection', 'socket-file'],
  'node:fs': ['published-socket', 'socket-directory', 'socket-file', 'trust'],
  'node:crypto': ['secret'],
}

const SOURCE = join(__dirname, '..', 'src')
const sources = readdirSync(SOURCE).filter((file) => !file.endsWith('.d.ts'))
const files = sources.map((file) => file.replace(/\.ts$/, ''))
const read = (file: string) => readFileSync(join(SOURCE, `${file}.ts`), 'utf8')
const importsOf = (file: string) => [...read(file).matchAll(/from '([^']+)'/g)].map(([, path = '']) => path)
const floorOf = (file: string) => FLOORS.findIndex((floor) => floor.includes(file))

describe('the source', () => {
  it('has every file on a floor, and no floor without its files', () => {
    expect(FLOORS.flat().sort()).to.deep.equal(files.sort())
  })

  for (const file of files) {
    it(`imports strictly downward in ${file}`, () => {
      for (const path of importsOf(file).filter((path) => path.startsWith('./'))) {
        expect(floorOf(path.slice(2)), `${file} imports ${path}`).to.be.greaterThan(floorOf(file))
      }
    })
  }

  it('reaches for sockets, files, time and chance only through the seams', () => {
    for (const file of files) {
      for (const path of importsOf(file)) expect(SEAMS[path] ?? [file], `${file} imports ${path}`).to.include(file)
      if (file === 'clock') continue
      // The timeout of a socket is part of the socket.
      expect(read(file), file).not.to.match(
        /(?<!\bsocket\.)\b(setTimeout|setInterval|setImmediate|queueMicrotask|Math\.random)\b/,
      )
    }
  })

  it('has no file over 300 lines', () => {
    for (const file of files) expect(read(file).split('\n').length, file).to.be.at.most(301)
  })
})
